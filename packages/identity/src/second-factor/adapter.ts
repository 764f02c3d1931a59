import type { BetterAuthPlugin } from "better-auth";
import type { DBAdapter, DBTransactionAdapter, Where } from "better-auth/adapters";
import { type FactorField, type Factors, fromLibrary, toLibrary } from "./factors.ts";

/** The library's name for the table. */
const MODEL = "twoFactor";
const FIELDS: readonly FactorField[] = ["secret", "backupCodes"];

type Row = Readonly<Record<string, unknown>> & { readonly id: string; readonly userId: string };
type Fields = Readonly<Record<string, unknown>>;

interface Sealing {
  readonly factors: Factors;
  readonly libraryKey: string;
}

/** Stands between the library and its table of second factors: what the library has encrypted is kept under our keys
 *  instead, and given to it in its own form. Everything else passes. */
export function sealSecondFactors(sealing: Sealing): BetterAuthPlugin {
  return {
    id: "sealed-second-factors",
    init: ({ adapter }) => {
      const sealed: DBAdapter = {
        ...adapter,
        ...sealedCalls(adapter, sealing, (row) => sealing.factors.renew(row)),
        transaction: (work) =>
          // A row that this transaction has changed must not be renewed beside it.
          adapter.transaction((inside) => work({ ...inside, ...sealedCalls(inside, sealing, never) })),
      };
      return { context: { adapter: sealed } };
    },
  };
}

const never = () => Promise.resolve(false);

type Calls = Pick<DBAdapter, "create" | "findOne" | "update" | "incrementOne">;

/** The calls by which the two-factor plugin reads and writes its table. */
function sealedCalls(adapter: DBTransactionAdapter, sealing: Sealing, renew: Factors["renew"]): Calls {
  const rowOf = (where: Where[]) => adapter.findOne<Row>({ model: MODEL, where });
  const shown = async <T>(row: T | null) => (row === null ? null : ((await show(row as Row, sealing)) as T));
  return {
    create: async (request) => {
      if (request.model !== MODEL) return adapter.create(request);
      const { userId } = request.data as unknown as Row;
      const data = (await sealed(userId, request.data, sealing)) as typeof request.data;
      return (await shown(await adapter.create({ ...request, data }))) as never;
    },
    findOne: async <T>(request: Parameters<DBAdapter["findOne"]>[0]) => {
      if (request.model !== MODEL) return adapter.findOne<T>(request);
      const found = await adapter.findOne<T>(request);
      const isNew = isWhole(found) && (await renew(found));
      return shown(isNew ? await adapter.findOne<T>(request) : found);
    },
    update: async <T>(request: Parameters<DBAdapter["update"]>[0]) => {
      if (request.model !== MODEL) return adapter.update<T>(request);
      const row = await rowOf(request.where);
      if (row === null) return null;
      const update = await sealed(row.userId, request.update, sealing);
      return shown(await adapter.update<T>({ ...request, update }));
    },
    incrementOne: async <T>(request: Parameters<DBAdapter["incrementOne"]>[0]) => {
      if (request.model !== MODEL) return adapter.incrementOne<T>(request);
      const row = await rowOf(request.where.filter(({ field }) => !isSealed(field)));
      const where = row === null ? null : await storedWhere(request.where, row, sealing);
      if (row === null || where === null) return null;
      const { set, ...rest } = request;
      const setting = set === undefined ? {} : { set: await sealed(row.userId, set, sealing) };
      return shown(await adapter.incrementOne<T>({ ...rest, ...setting, where }));
    },
  };
}

const isSealed = (field: string): field is FactorField => (FIELDS as readonly string[]).includes(field);

function isWhole(row: unknown): row is Row & Record<FactorField, string> {
  if (typeof row !== "object" || row === null) return false;
  return "userId" in row && FIELDS.every((field) => typeof (row as Fields)[field] === "string");
}

/** What the library wants to write, under our keys. */
async function sealed(userId: string, fields: Fields, sealing: Sealing): Promise<Record<string, unknown>> {
  const written: Record<string, unknown> = { ...fields };
  for (const field of FIELDS) {
    const text = fields[field];
    if (typeof text !== "string") continue;
    const plain = await fromLibrary(sealing.libraryKey, text);
    written[field] = await sealing.factors.seal(userId, field, plain);
  }
  return written;
}

/** What is stored, as the library would have written it. */
async function show(row: Row, { factors, libraryKey }: Sealing): Promise<Fields> {
  const read: Record<string, unknown> = { ...row };
  for (const field of FIELDS) {
    const stored = row[field];
    if (typeof stored !== "string") continue;
    read[field] = await toLibrary(libraryKey, await factors.open(row.userId, field, stored));
  }
  return read;
}

/** "While the codes are still these", in the terms of what is stored; null when they are not. */
async function storedWhere(
  where: readonly Where[],
  row: Row,
  { factors, libraryKey }: Sealing,
): Promise<Where[] | null> {
  const conditions: Where[] = [];
  for (const condition of where) {
    const { field, value } = condition;
    if (!isSealed(field)) conditions.push(condition);
    else {
      const stored = row[field] as string;
      const expected = await fromLibrary(libraryKey, value as string);
      if (expected !== (await factors.open(row.userId, field, stored))) return null;
      conditions.push({ ...condition, value: stored });
    }
  }
  return conditions;
}
