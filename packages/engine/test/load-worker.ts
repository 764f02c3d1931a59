/** A process that puts load on a ledger, for the tests that need more than one process or must kill one.
 *  Told what to do by one message; tells every answer as it comes. */
import { instantFromDate } from "@bursar/contract/instant";
import type { Command, Outcome } from "../src/ledger/command.ts";
import { ledgerOn } from "./ledger-on-test-database.ts";

export interface Job {
  readonly url: string;
  readonly commands: readonly Command[];
  readonly lanes: number;
  /** How many commands wait for an answer at any time. */
  readonly clients: number;
}

/** Times are those of the machine's monotonic clock, which all processes share. */
export interface Answer {
  readonly index: number;
  readonly outcome: Outcome;
  readonly asked: bigint;
  readonly answered: bigint;
}

export const systemClock = { now: () => instantFromDate(new Date()) };

async function work({ url, commands, lanes, clients }: Job): Promise<void> {
  const { ledger, close } = ledgerOn(url, { lanes, clock: systemClock });
  let next = 0;
  const client = async () => {
    while (next < commands.length) {
      const index = next++;
      const asked = process.hrtime.bigint();
      const outcome = await ledger.submit(commands[index]!);
      process.send!({ index, outcome, asked, answered: process.hrtime.bigint() } satisfies Answer);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  await close();
  process.disconnect();
}

if (process.send !== undefined && process.env["BURSAR_LOAD_WORKER"] === "1") {
  process.once("message", (job) => {
    work(job as Job).catch((error: unknown) => {
      console.error(error);
      process.exit(1);
    });
  });
}
