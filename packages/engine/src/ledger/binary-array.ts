/** Postgres arrays in the wire's binary format: a batch sends thousands of values, and both sides would spend more on
 *  writing and reading them as text than on deciding. https://www.postgresql.org/docs/current/protocol.html names the
 *  format a type's own affair; it is that of `array_recv` and the elements' `recv` functions. */

/** Text as UTF-8; `bytea` from hex; `timestamptz` from microseconds since 1970. */
export type ElementType = "text" | "json" | "bytea" | "bool" | "int2" | "int4" | "int8" | "timestamptz";

export type Element = string | bigint | number | boolean | null;

const TYPE_IDS: Readonly<Record<ElementType, number>> = {
  bool: 16,
  bytea: 17,
  int8: 20,
  int2: 21,
  int4: 23,
  text: 25,
  json: 114,
  timestamptz: 1184,
};

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
/** At most, in UTF-8, of one UTF-16 unit. */
const BYTES_PER_CHARACTER = 3;
/** Postgres counts from the year 2000. */
const EPOCH_MICROSECONDS = 946_684_800_000_000;

/** One array at a time is written here, and copied out. */
let scratch = Buffer.allocUnsafe(1 << 16);
let view = new DataView(scratch.buffer, scratch.byteOffset);

/** An array of one dimension. `values` must fit the type: a bigint or a whole number for the integers, true or false for
 *  `bool`, text for the others. */
export function binaryArray(type: ElementType, values: readonly Element[]): Buffer {
  makeRoom(0, HEADER_BYTES);
  view.setInt32(0, 1);
  view.setInt32(4, values.includes(null) ? 1 : 0);
  view.setInt32(8, TYPE_IDS[type]);
  view.setInt32(12, values.length);
  view.setInt32(16, 1);
  let end = HEADER_BYTES;
  for (const value of values) end = writeElement(type, value, end);
  return Buffer.from(scratch.subarray(0, end));
}

/** Returns where the next element begins. */
function writeElement(type: ElementType, value: Element, at: number): number {
  const start = at + LENGTH_BYTES;
  makeRoom(start, typeof value === "string" ? value.length * BYTES_PER_CHARACTER : 8);
  const length = value === null ? NULL_LENGTH : writeValue(type, value, start);
  view.setInt32(at, length);
  return start + Math.max(length, 0);
}

/** Returns how many bytes it took. */
function writeValue(type: ElementType, value: Exclude<Element, null>, at: number): number {
  switch (type) {
    case "int8":
      view.setBigInt64(at, BigInt(value));
      return 8;
    case "timestamptz":
      view.setBigInt64(at, BigInt(Number(value) - EPOCH_MICROSECONDS));
      return 8;
    case "int4":
      view.setInt32(at, Number(value));
      return 4;
    case "int2":
      view.setInt16(at, Number(value));
      return 2;
    case "bool":
      view.setInt8(at, value === true ? 1 : 0);
      return 1;
    case "bytea":
      return scratch.write(String(value), at, "hex");
    default:
      return scratch.write(String(value), at, "utf8");
  }
}

function makeRoom(used: number, bytes: number): void {
  if (used + bytes <= scratch.length) return;
  const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, used + bytes));
  scratch.copy(larger, 0, 0, used);
  scratch = larger;
  view = new DataView(larger.buffer, larger.byteOffset);
}
