/** A ledger on a database of its own, with a clock that only the test moves. */
import { type AccountId, newAccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { APPLICATION_ROLE, connectionOptions } from "@bursar/database/connection";
import { openPool } from "@bursar/database/pool";
import type { TestDatabase } from "@bursar/database/testing";
import pg from "pg";
import { createAccount } from "../src/account/create.ts";
import type { Command, Outcome, Result } from "../src/ledger/command.ts";
import { type LedgerDeps, openLedger } from "../src/ledger/ledger.ts";

/** More and longer runs, for a machine with time. */
export const isLong = process.env["BURSAR_LONG"] === "1";

/** Repeats a run that failed: the seed that it printed. */
export const SEED = process.env["BURSAR_SEED"] === undefined ? undefined : Number(process.env["BURSAR_SEED"]);

const nothing = () => undefined;
export const silentLog = { info: nothing, warn: nothing, error: nothing, debug: nothing };

export type TestLedger = Awaited<ReturnType<typeof openTestLedger>>;

export async function openTestLedger(
  createDatabase: () => Promise<TestDatabase>,
  options: Partial<LedgerDeps> = {},
) {
  const database = await createDatabase();
  const ledger = ledgerOn(database.url, options);
  const close = async () => {
    await ledger.close();
    await database.drop();
  };
  return { ...ledger, close };
}

/** A busy machine may take seconds for what is done in milliseconds; only what a test is about should say no. */
const PATIENCE_SECONDS = 15;

/** The same on any migrated database. */
export function ledgerOn(url: string, options: Partial<LedgerDeps> = {}) {
  const clock = new TestClock();
  const pool = openPool({ url, applicationName: "test", log: silentLog });
  const connect = clientsOf(url, APPLICATION_ROLE);
  const settings = { timeoutMilliseconds: PATIENCE_SECONDS * 1000, ...options.settings };
  const ledger = openLedger({ connect, clock, log: silentLog, lanes: 2, ...options, settings });
  return {
    url,
    clock,
    pool,
    connect,
    ledger,
    createAccount: async (id: AccountId = newAccountId(), alertBelow?: bigint) => {
      await createAccount({ pool, clock }, { id, name: id, alertBelow });
      return id;
    },
    close: async () => {
      await ledger.close();
      await pool.end();
    },
  };
}

/** Lane clients; also as the superuser, to do what the application may not. */
export function clientsOf(url: string, role?: string): () => pg.Client {
  const who = role === undefined ? {} : { role };
  const settings = { url, applicationName: "test-lane", connectTimeoutSeconds: PATIENCE_SECONDS, ...who };
  return () => new pg.Client(connectionOptions(settings));
}

export class TestClock {
  #now = 1_790_000_000_000_000 as Instant;
  readonly now = (): Instant => this.#now;

  set(now: Instant): void {
    this.#now = now;
  }

  advance(microseconds: number): void {
    this.#now = (this.#now + microseconds) as Instant;
  }
}

export const SECOND = 1_000_000;

type Loose = { readonly kind: Command["kind"] } & Readonly<Record<string, unknown>>;

/** A command written shortly; what every command needs is filled in. */
export function command(accountId: AccountId, loose: Loose): Command {
  const grant = loose.kind === "grant" ? { source: "promo", priority: 50, expiresAt: null, scope: null } : {};
  const hold = loose.kind === "hold" ? { expiresAt: null } : {};
  const note = ["adjust", "freeze", "unfreeze"].includes(loose.kind) ? { note: "because" } : {};
  return { accountId, by: "test", ...grant, ...hold, ...note, ...loose } as unknown as Command;
}

/** For commands that must succeed. */
export function resultOf(outcome: Outcome): Result {
  if (outcome.kind !== "done" && outcome.kind !== "duplicate")
    throw new Error(
      `refused: ${JSON.stringify(outcome, (_, value) => (typeof value === "bigint" ? String(value) : value))}`,
    );
  return outcome.result;
}
