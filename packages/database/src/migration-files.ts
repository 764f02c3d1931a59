import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

export interface MigrationFile {
  /** The file's name without `.sql`, such as `0001_ledger`. */
  readonly name: string;
  readonly sql: string;
  /** SHA-256 of the text with LF line ends, so that a checkout on Windows is the same migration. */
  readonly checksum: string;
}

const FILE_SHAPE = /^(\d{4})_[a-z0-9_]+\.sql$/;

/** The migrations of a folder in order. Files other than `.sql` are ignored.
 *  Throws: no such folder; a name that is not `NNNN_name.sql`; a number used twice or left out. */
export async function readMigrationFiles(directory: string): Promise<MigrationFile[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).sort();
  names.forEach((name, index) => assertNumber(name, index + 1, directory));
  return Promise.all(names.map((name) => readMigrationFile(directory, name)));
}

/** Two branches that each add migration 7 must be noticed at once, not when one of them is never applied. */
function assertNumber(fileName: string, expected: number, directory: string): void {
  const number = FILE_SHAPE.exec(fileName)?.[1];
  if (number === undefined) {
    throw new Error(`${join(directory, fileName)}: a migration is named NNNN_name.sql, in lower case`);
  }
  if (Number(number) !== expected) {
    const problem = Number(number) < expected ? "is used twice" : "comes after a gap";
    throw new Error(`${join(directory, fileName)}: number ${number} ${problem}; expected ${pad(expected)}`);
  }
}

async function readMigrationFile(directory: string, fileName: string): Promise<MigrationFile> {
  const text = await readFile(join(directory, fileName), "utf8");
  const sql = text.replaceAll("\r\n", "\n");
  const checksum = createHash("sha256").update(sql).digest("hex");
  return { name: fileName.slice(0, -".sql".length), sql, checksum };
}

function pad(number: number): string {
  return String(number).padStart(4, "0");
}
