/** Where this package reports what nobody awaits, such as an idle connection that broke. Has pino's shape, so that a
 *  pino logger is one. */
export interface Log {
  info(details: object, message: string): void;
  warn(details: object, message: string): void;
  error(details: object, message: string): void;
}

/** For callers that do not care, such as tests. */
export const silentLog: Log = { info: () => {}, warn: () => {}, error: () => {} };
