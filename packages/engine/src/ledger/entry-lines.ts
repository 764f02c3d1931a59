import { hash } from "node:crypto";
import { BYTES_PER_CHARACTER, withRoom } from "./bytes.ts";
import { canonicalRow, type Entry } from "./entry.ts";

const FIRST_BYTES = 4096;
/** The hash as COPY reads bytes: a tab, `\\x`, 64 digits, a newline. */
const HASH_BYTES = 69;

/** The entries of a batch as lines of COPY's text format, written as they are chained: so a batch under way keeps bytes
 *  and not objects, which the garbage collector would have to move. */
export class EntryLines {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;

  /** In bytes. */
  get length(): number {
    return this.#length;
  }

  /** Takes back what was added since it was so long. */
  cutTo(length: number): void {
    this.#length = length;
  }

  /** Everything so far. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Writes the entry's line and gives its hash: SHA-256 of the previous hash in hex, a newline, the canonical row. */
  add(previous: string, entry: Omit<Entry, "hash">): string {
    // One text, of which the row is a part.
    const hashed = canonicalRow(entry, `${previous}\n`);
    const own = hash("sha256", hashed, "hex");
    const row = hashed.slice(previous.length + 1);
    this.#buffer = withRoom(this.#buffer, this.#length, row.length * BYTES_PER_CHARACTER + HASH_BYTES);
    this.#length += this.#buffer.write(row, this.#length);
    this.#length += this.#buffer.write(`\t\\\\x${own}\n`, this.#length, "latin1");
    return own;
  }
}
