import type pg from "pg";
import { insertRefusals, type RefusalRecord } from "./store.ts";

/** Keeps why something was refused. Resolves when it is written; what arrives meanwhile is written together, so that
 *  a caller hammering an empty account costs one insert a round trip and not one a refusal. Never throws: a receipt
 *  that cannot be written must not change the answer, which is no already. */
export interface RefusalLog {
  write(record: RefusalRecord): Promise<void>;
}

const BATCH_LIMIT = 1000;
const QUEUE_LIMIT = 20_000;

export function openRefusalLog(deps: {
  pool: pg.Pool;
  log: { warn(facts: object, message: string): void };
}): RefusalLog {
  let waiting: RefusalRecord[] = [];
  let writing: Promise<void> | null = null;
  const writeAll = async () => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH_LIMIT);
      waiting = waiting.slice(BATCH_LIMIT);
      await insertRefusals(deps.pool, batch).catch((error: unknown) => {
        deps.log.warn({ err: error, lost: batch.length }, "receipts of refusals could not be written");
      });
    }
    writing = null;
  };
  return {
    write: async (record) => {
      if (waiting.length >= QUEUE_LIMIT) return;
      waiting.push(record);
      await (writing ??= Promise.resolve().then(writeAll));
    },
  };
}
