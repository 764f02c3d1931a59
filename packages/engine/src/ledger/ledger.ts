import type { AccountId, HoldId } from "@bursar/contract/ids";
import type { Command, Outcome } from "./command.ts";
import { Lane, type LaneDeps } from "./lane.ts";

/** The one door to money. */
export interface Ledger {
  /** Does the command exactly once under its id, durably, or says by name why not.
   *  Throws LedgerUnavailable when the database does not answer in time (ask again under the same id), and
   *  CommandFailed for a command that the database will not take, which is a bug. */
  submit(command: Command): Promise<Outcome>;
  /** Resolves when every lane has just decided something; nothing is written.
   *  Throws LedgerUnavailable when one does not answer in time. */
  check(): Promise<void>;
  /** Finishes what was submitted. */
  close(): Promise<void>;
}

const DEFAULTS = { timeoutMilliseconds: 2000, queueLimit: 20_000, knownAccounts: 200_000, planAheadFrom: 16 };

export interface LedgerDeps extends Omit<LaneDeps, "settings"> {
  /** Connections that write. Accounts map to them by hash; 2 to 4 are plenty, because each one batches. */
  readonly lanes: number;
  readonly settings?: Partial<LaneDeps["settings"]>;
}

/** Refused by every lane after the whole way to the accounts and back: there is no such account. */
const NOTHING: Command = {
  kind: "release",
  accountId: "acct_of_nobody" as AccountId,
  holdId: "hold_of_nobody" as HoldId,
  by: "system:check",
};

export function openLedger(deps: LedgerDeps): Ledger {
  const whole = { ...DEFAULTS, ...deps.settings };
  const settings = { ...whole, knownAccounts: Math.ceil(whole.knownAccounts / deps.lanes) };
  const lanes = Array.from({ length: deps.lanes }, () => new Lane({ ...deps, settings }));
  return {
    submit: (command) => lanes[laneOf(command.accountId, lanes.length)]!.submit(command),
    check: async () => {
      await Promise.all(lanes.map((lane) => lane.submit(NOTHING)));
    },
    close: async () => {
      await Promise.all(lanes.map((lane) => lane.close()));
    },
  };
}

/** The same account is always in the same lane of a process, so that its commands are decided in order of arrival.
 *  FNV-1a: it only has to spread. */
function laneOf(accountId: string, lanes: number): number {
  if (lanes === 1) return 0;
  let hash = 0x811c9dc5;
  for (let i = 0; i < accountId.length; i++) hash = Math.imul(hash ^ accountId.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % lanes;
}
