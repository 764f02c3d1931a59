import type { Verification } from "@bursar/engine/ledger/verify";
import type { Command } from "commander";
import { howToStart } from "../connection/start.ts";
import type { Context, Look } from "../context.ts";
import { Failure } from "../failure.ts";
import { count, counted } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

/** docs/ledger.md. The last two are about time: only a test can break them. */
const INVARIANTS = [
  "every credit is somewhere: granted ± adjusted = available + held + spent + expired + revoked - owed",
  "available is the sum of open grants, held the sum of open holds, and none is negative",
  "entries are numbered without gaps, replay to the account, and their hash chain holds",
  "each idempotency key was used once",
  "no grant gave more than it was granted, nor after its expiry",
  "an acknowledged command survives the death of any process",
  "what was asked later stands later",
] as const;

const PROVED_BY_TESTS = 6;

interface VerifyOptions {
  readonly databaseUrl?: string;
  readonly limit: number;
}

export function verify(command: Command, context: Context): void {
  command
    .option("--database-url <url>", "default: DATABASE_URL, else the running sandbox's")
    .option("--limit <count>", "show at most this many problems", wholeNumber, 100)
    .addHelpText(
      "after",
      `${examples("bursar verify", "bursar verify --json")}\n\nReads the database itself, not the API. The exit code is 1 when there is a problem.`,
    )
    .action(async ({ databaseUrl, limit }: VerifyOptions) => {
      const found = await verifyAt(databaseUrl ?? databaseUrlFrom(context), limit);
      context.print(found, (look) => verificationText(found, look));
      if (found.problemCount > 0) context.conclude("refused");
    });
}

function databaseUrlFrom(context: Context): string {
  const url = context.environment["DATABASE_URL"] || context.sandbox()?.databaseUrl;
  if (url !== undefined) return url;
  throw new Failure("unavailable", "unavailable", "No database is known.", [
    "Looked for --database-url, DATABASE_URL and the file of a running sandbox.",
    `Start a sandbox: ${howToStart(context.repository)}`,
    "Or set DATABASE_URL.",
  ]);
}

async function verifyAt(url: string, problemLimit: number): Promise<Verification> {
  const [{ Client }, { connectionOptions }, { verifyLedger }] = await Promise.all([
    import("pg"),
    import("@bursar/database/connection"),
    import("@bursar/engine/ledger/verify"),
  ]);
  const connect = () => new Client(connectionOptions({ url, applicationName: "bursar verify" }));
  return verifyLedger(connect, { problemLimit }).catch((error: unknown) => explain(error));
}

function explain(error: unknown): never {
  if (!(error instanceof Error) || !("code" in error)) throw error;
  const message = `The database cannot be read: ${error.message || String(error.code)}`;
  throw new Failure("unavailable", "unavailable", message, [
    "Is it running? A sandbox is started with npm start.",
  ]);
}

export function verificationText(found: Verification, look: Look): string {
  const { paint } = look;
  const { problemCount } = found;
  const broken = new Set(found.problems.map((problem) => problem.invariant));
  const verdict =
    problemCount === 0
      ? paint.green("The ledger is whole.")
      : paint.red(`${counted(problemCount, "problem")}.`);
  const lines = INVARIANTS.map((text, index) => invariantLine(index + 1, text, broken, look));
  return [`${verdict} ${replayedText(found)}`, lines.join("\n"), ...problemTable(found, look)].join("\n\n");
}

/** Below this, the rate tells of the start rather than of the speed. */
const ENOUGH_TO_MEASURE = 10_000;

function replayedText({ accounts, entries, entriesPerSecond }: Verification): string {
  const rate = entries < ENOUGH_TO_MEASURE ? "" : `, ${count(entriesPerSecond)} a second`;
  const ledger = entries === 1 ? "1 entry" : `${count(entries)} entries`;
  return `Replayed ${ledger} of ${counted(accounts, "account")}${rate}.`;
}

function invariantLine(number: number, text: string, broken: ReadonlySet<number>, { paint }: Look): string {
  if (number >= PROVED_BY_TESTS) return paint.dim(`  ${number}  test  ${text}`);
  const state = broken.has(number) ? paint.red("FAIL") : paint.green("ok  ");
  return `  ${number}  ${state}  ${text}`;
}

function problemTable({ problems }: Verification, { paint }: Look): string[] {
  if (problems.length === 0) return [];
  const lines = table(
    paint,
    [
      { title: "INVARIANT", align: "decimal", of: (problem) => String(problem.invariant) },
      { title: "ACCOUNT", of: (problem) => problem.accountId || "-" },
      { title: "SEQ", align: "decimal", of: (problem) => problem.seq ?? "-" },
      { title: "PROBLEM", of: (problem) => problem.message },
    ],
    problems,
    "",
  );
  return [lines];
}
