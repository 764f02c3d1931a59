import { BYTES_PER_CHARACTER, withRoom } from "./bytes.ts";

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

/** A value that its type cannot hold. Named by the code under which Postgres would refuse it. */
export class ElementOutOfRange extends Error {
  override readonly name = "ElementOutOfRange";
  readonly code = "22003";
}

const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;
/** Postgres counts from the year 2000. */
const EPOCH_MICROSECONDS = 946_684_800_000_000;

/** One array at a time is written here, and copied out. */
let scratch = Buffer.allocUnsafe(1 << 16);
let view = new DataView(scratch.buffer, scratch.byteOffset);

/** An array of one dimension. `values` must fit the type: a bigint or a whole number for the integers, true or false for
 *  `bool`, text for the others. Throws ElementOutOfRange. */
export function binaryArray(type: ElementType, values: readonly Element[]): Buffer {
  view.setInt32(0, 1);
  // There may be nulls.
  view.setInt32(4, 1);
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
  const length = value == null ? NULL_LENGTH : writeValue(type, value, start);
  view.setInt32(at, length);
  return start + Math.max(length, 0);
}

/** Returns how many bytes it took. */
function writeValue(type: ElementType, value: Exclude<Element, null>, at: number): number {
  switch (type) {
    case "int8":
      view.setBigInt64(at, fitting(whole(value)));
      return 8;
    case "timestamptz":
      view.setBigInt64(at, whole(Number(value) - EPOCH_MICROSECONDS));
      return 8;
    case "int4":
      view.setInt32(at, within(whole(value), 0x7fff_ffff));
      return 4;
    case "int2":
      view.setInt16(at, within(whole(value), 0x7fff));
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

/** Throws ElementOutOfRange. */
export function whole(value: Exclude<Element, null>): bigint {
  if (typeof value === "bigint") return value;
  if (Number.isSafeInteger(value)) return BigInt(value);
  throw new ElementOutOfRange(`${String(value)} is no whole number`);
}

/** The setters of a view would cut off what does not fit. */
function fitting(value: bigint): bigint {
  if (BigInt.asIntN(64, value) === value) return value;
  throw new ElementOutOfRange(`${value} does not fit 64 bits`);
}

function within(value: bigint, largest: number): number {
  if (value <= largest && value >= -largest - 1) return Number(value);
  throw new ElementOutOfRange(`${value} is beyond ${largest}`);
}

function makeRoom(used: number, bytes: number): void {
  const roomy = withRoom(scratch, used, bytes);
  if (roomy === scratch) return;
  scratch = roomy;
  view = new DataView(roomy.buffer, roomy.byteOffset);
}
