/** Checks the structure of ARCHITECTURE.md: which package may import which, that no files import one another in a
 *  circle, that decisions are pure, that SQL lives in stores, and that files stay small. Prints each breach as
 *  `file: what`. */
import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { findCircles } from "./circles.ts";

/** What each part may import of ours. Arrows point one way. */
const ALLOWED: Record<string, readonly string[]> = {
  "packages/contract": [],
  "packages/database": ["contract"],
  "packages/engine": ["contract", "database"],
  "packages/sandbox": [],
  "packages/identity": ["contract", "database", "engine"],
  "packages/stripe": ["contract", "engine"],
  "packages/documents": ["contract"],
  "packages/gateway": ["contract", "engine"],
  "packages/agent": ["contract", "engine"],
  "packages/client": ["contract"],
  "apps/server": [
    "agent",
    "contract",
    "database",
    "documents",
    "engine",
    "gateway",
    "identity",
    "sandbox",
    "stripe",
  ],
  "apps/cli": ["contract", "client", "database", "engine", "server"],
  bench: ["contract", "database", "engine", "gateway", "identity", "sandbox", "server", "stripe"],
};

/** Pure: no clock, no I/O, no await. They import the contract and each other. */
const PURE = new Set(
  "account account-columns book bytes caps chain decide decide-close decide-grant decide-spend digest draft draw entry entry-lines grants-text key kinds movement open-holds payment payments replay replay-grants replay-holds result subscription".split(
    " ",
  ),
);

const SQL =
  /[`"'](\s*)(select\s.+\sfrom|insert into|update \w+ set|delete from|create (table|index|role|database)|truncate)\s/i;
const LINE_LIMIT = 300;

const breaches: string[] = [];
/** Of each file, the files of ours that it imports. */
const importsOf = new Map<string, readonly string[]>();
const files = globSync(["packages/*/src/**/*.ts", "apps/*/src/**/*.ts", "bench/*.ts"]).filter(
  (file) => !file.includes("node_modules"),
);
for (const file of files) check(file, readFileSync(file, "utf8"));
checkCircles();
for (const breach of breaches) process.stderr.write(`${breach}\n`);
process.stdout.write(`${files.length} files, ${breaches.length} breaches\n`);
process.exitCode = breaches.length === 0 ? 0 : 1;

function check(file: string, text: string): void {
  const isTest = /\.test\.tsx?$|\/testing\//.test(file);
  const lines = text.split("\n").length;
  if (lines > LINE_LIMIT && !isTest) breaches.push(`${file}: ${lines} lines, the limit is ${LINE_LIMIT}`);
  if (isTest) return;
  const imports = [...text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)].map((match) => match[1]!);
  importsOf.set(
    file,
    imports.map((name) => fileOf(name, file)),
  );
  checkArrows(file, imports);
  checkPurity(file, imports, text);
  checkSql(file, text);
}

function checkArrows(file: string, imports: readonly string[]): void {
  const home = Object.keys(ALLOWED).find((folder) => file.startsWith(`${folder}/`))!;
  const own = home.split("/").at(-1)!;
  for (const name of imports) {
    const other = /^@bursar\/([a-z]+)/.exec(name)?.[1];
    if (other === undefined || other === own || ALLOWED[home]!.includes(other)) continue;
    breaches.push(`${file}: may not import @bursar/${other}`);
  }
}

/** Imports of types count: who reads one file of a circle has to know all of them. */
function checkCircles(): void {
  for (const circle of findCircles(importsOf))
    breaches.push(`${circle[0]}: a circle of imports: ${circle.join(" → ")}`);
}

/** Where what is imported lies, if it is ours. */
function fileOf(name: string, importer: string): string {
  if (name.startsWith(".")) return join(dirname(importer), name);
  const [, other, path] = /^@bursar\/([a-z]+)\/(.+)$/.exec(name) ?? [];
  const home = Object.keys(ALLOWED).find((folder) => folder.endsWith(`/${other}`));
  return home === undefined ? name : `${home}/src/${path}.ts`;
}

function checkPurity(file: string, imports: readonly string[], text: string): void {
  const isPure = file.startsWith("packages/engine/src/ledger/") && PURE.has(basename(file, ".ts"));
  if (!isPure && basename(file) !== "decide.ts") return;
  for (const name of imports) {
    const isAllowed =
      name.startsWith("@bursar/contract/") || name === "node:crypto" || PURE.has(basename(name, ".ts"));
    if (!isAllowed && basename(name, ".ts") !== "command")
      breaches.push(`${file}: a decision imports ${name}`);
  }
  const code = withoutComments(text);
  if (/\bawait\b|Date\.now|new Date\(\)|Math\.random/.test(code))
    breaches.push(`${file}: a decision is not pure`);
}

/** Queries live in stores; the database package is about databases, and benches compare raw SQL. */
function checkSql(file: string, text: string): void {
  const mayHoldSql = basename(file).startsWith("store") || /^(packages\/database|bench)\//.test(file);
  if (!mayHoldSql && SQL.test(withoutComments(text))) breaches.push(`${file}: SQL outside a store`);
}

function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\*\*|\*|\/\/).*$/gm, "");
}
