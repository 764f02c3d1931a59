import { parsePostgresTimestamp } from "@bursar/contract/instant";
import { type CustomTypesConfig, types } from "pg";

type Parser = (text: string) => unknown;
type TypeId = Parameters<typeof types.getTypeParser>[0];

const { INT8, TIMESTAMPTZ, TIMESTAMP, DATE } = types.builtins;

/** pg names no constants for the array types. Source: pg_type.dat. */
const TEXT_ARRAY: number = 1009;

/** A ledger must not lose digits: int8 is a bigint, timestamptz whole microseconds. Types without a zone stay text,
 *  because pg would read them in the machine's own zone. numeric is text in pg already. */
const parsers = new Map<number, Parser>([
  [INT8, BigInt],
  [1016, arrayOf(BigInt)],
  [TIMESTAMPTZ, parsePostgresTimestamp],
  [1185, arrayOf(parsePostgresTimestamp)],
  [TIMESTAMP, String],
  [1115, arrayOf(String)],
  [DATE, String],
  [1182, arrayOf(String)],
]);

function arrayOf(parse: Parser): Parser {
  // oxlint-disable-next-line typescript/no-unsafe-enum-assignment -- the enum lacks it, pg does not
  const parseTextArray: (text: string) => (string | null)[] = types.getTypeParser(TEXT_ARRAY);
  return (text) => parseTextArray(text).map((element) => (element === null ? null : parse(element)));
}

/** How results are read on our connections. Given per connection: pg's own table is global to the process, and
 *  graphile-worker and Kysely share it. */
export const columnTypes: CustomTypesConfig = {
  getTypeParser: (oid: TypeId, format?: "text" | "binary") => {
    const parser = format === "binary" ? undefined : parsers.get(oid);
    return parser ?? types.getTypeParser(oid, format);
  },
};
