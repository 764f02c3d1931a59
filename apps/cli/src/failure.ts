import type { ExitName } from "./exit.ts";

/** What a command throws to end with an explanation: what is wrong, and what would be right. */
export class Failure extends Error {
  override readonly name = "Failure";
  readonly exit: ExitName;
  readonly code: string;
  /** Lines below the message. */
  readonly hints: readonly string[];

  constructor(exit: ExitName, code: string, message: string, hints: readonly string[] = []) {
    super(message);
    this.exit = exit;
    this.code = code;
    this.hints = hints;
  }
}

export function usageFailure(message: string, ...hints: readonly string[]): Failure {
  return new Failure("usage", "invalid_request", message, hints);
}
