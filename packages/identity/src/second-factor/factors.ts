import type { FieldName, Secrets } from "@bursar/engine/secret/secrets";
import type pg from "pg";
import { accountIdOf } from "../people/naming.ts";
import { deriveKey } from "../secret.ts";
import { type FactorRow, listOldFactors, replaceFactor } from "./store.ts";

/** What of a second factor is encrypted, as the library names it. */
export type FactorField = "secret" | "backupCodes";

const FIELDS: Readonly<Record<FactorField, FieldName>> = {
  secret: "two_factors.secret",
  backupCodes: "two_factors.backup_codes",
};

/** What our own sealing begins with; the library writes hexadecimal digits. */
const SEALED = /^aes1\./;

/** Shared secrets and backup codes, under the key of their person, which the master key wraps. What was written before
 *  that is in the library's own form, under a key from BURSAR_SECRET: it is read, and replaced where it is met. */
export interface Factors {
  /** Throws SecretUnreadable; database unreachable. */
  seal(userId: string, field: FactorField, text: string): Promise<string>;
  /** Either form. Asks the cache first. Throws SecretUnreadable, also for another person's; database unreachable. */
  open(userId: string, field: FactorField, stored: string): Promise<string>;
  /** Writes a row anew that is in the old form; false when it is not, or has changed meanwhile. */
  renew(row: FactorRow): Promise<boolean>;
  /** The same for every row, up to 10,000 a call. */
  renewAll(): Promise<Renewal>;
}

export interface Renewal {
  readonly renewed: number;
  /** People whose second factor BURSAR_SECRET does not open: it was another when they enrolled. */
  readonly unreadable: readonly string[];
}

/** The key that better-auth derives all of its own from. */
export function libraryKeyOf(secret: string): string {
  return deriveKey(secret, "sessions").toString("base64url");
}

export function openFactors(
  { pool, secrets }: { readonly pool: pg.Pool; readonly secrets: Pick<Secrets, "seal" | "open"> },
  libraryKey: string,
): Factors {
  const seal: Factors["seal"] = (userId, field, text) =>
    secrets.seal(accountIdOf(userId), FIELDS[field], text);
  const open: Factors["open"] = (userId, field, stored) =>
    SEALED.test(stored)
      ? secrets.open(accountIdOf(userId), FIELDS[field], stored)
      : fromLibrary(libraryKey, stored);
  const renewed = async (row: FactorRow, field: FactorField) =>
    SEALED.test(row[field]) ? row[field] : seal(row.userId, field, await open(row.userId, field, row[field]));
  const renew: Factors["renew"] = async (row) => {
    if (SEALED.test(row.secret) && SEALED.test(row.backupCodes)) return false;
    const [secret, backupCodes] = [await renewed(row, "secret"), await renewed(row, "backupCodes")];
    return replaceFactor(pool, row, { secret, backupCodes });
  };
  return { seal, open, renew, renewAll: () => renewAll(pool, renew) };
}

const BATCH = 200;
const MOST_BATCHES = 50;

async function renewAll(pool: pg.Pool, renew: Factors["renew"]): Promise<Renewal> {
  const unreadable: string[] = [];
  let renewed = 0;
  let after = "";
  for (let batch = 0; batch < MOST_BATCHES; batch++) {
    const rows = await listOldFactors(pool, { after, limit: BATCH });
    for (const row of rows) {
      const outcome = await renew(row).catch(whereNotTheLibrarys);
      if (outcome === "unreadable") unreadable.push(row.userId);
      else if (outcome) renewed++;
    }
    if (rows.length < BATCH) break;
    after = rows.at(-1)!.userId;
  }
  return { renewed, unreadable };
}

/** The library's form does not open under this BURSAR_SECRET. */
class NotTheLibrarys extends Error {
  override readonly name = "NotTheLibrarys";
}

function whereNotTheLibrarys(error: unknown): "unreadable" {
  if (error instanceof NotTheLibrarys) return "unreadable";
  throw error;
}

/** The library is loaded when somebody needs it. */
export async function fromLibrary(libraryKey: string, text: string): Promise<string> {
  const { symmetricDecrypt } = await import("better-auth/crypto");
  return symmetricDecrypt({ key: libraryKey, data: text }).catch((error: unknown) => {
    throw new NotTheLibrarys("a second factor was written under another BURSAR_SECRET", { cause: error });
  });
}

export async function toLibrary(libraryKey: string, text: string): Promise<string> {
  const { symmetricEncrypt } = await import("better-auth/crypto");
  return symmetricEncrypt({ key: libraryKey, data: text });
}
