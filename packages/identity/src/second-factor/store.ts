import type pg from "pg";

/** As it is stored. */
export interface FactorRow {
  readonly userId: string;
  readonly secret: string;
  readonly backupCodes: string;
}

const ROW = `f.user_id as "userId", f.secret, f.backup_codes as "backupCodes"`;

/** Somebody's second factor; null where none is switched on. */
export async function findFactor(pool: pg.Pool, userId: string): Promise<FactorRow | null> {
  const { rows } = await pool.query<FactorRow>(
    `select ${ROW} from identity.two_factors f join identity.people p on p.id = f.user_id
     where f.user_id = $1 and f.verified and p.two_factor_enabled`,
    [userId],
  );
  return rows[0] ?? null;
}

/** Those that the library itself has encrypted, in the order of their people. */
export async function listOldFactors(
  pool: pg.Pool,
  { after, limit }: { readonly after: string; readonly limit: number },
): Promise<FactorRow[]> {
  const { rows } = await pool.query<FactorRow>(
    `select ${ROW} from identity.two_factors f
     where f.user_id > $1 and (f.secret not like 'aes1.%' or f.backup_codes not like 'aes1.%')
     order by f.user_id limit $2`,
    [after, limit],
  );
  return rows;
}

/** Only while the row is what it was: whoever has changed it meanwhile, by a new enrolment or a used backup code, wins. */
export async function replaceFactor(
  pool: pg.Pool,
  { userId, secret, backupCodes }: FactorRow,
  becomes: Omit<FactorRow, "userId">,
): Promise<boolean> {
  const { rowCount } = await pool.query(
    `update identity.two_factors set secret = $4, backup_codes = $5
     where user_id = $1 and secret = $2 and backup_codes = $3`,
    [userId, secret, backupCodes, becomes.secret, becomes.backupCodes],
  );
  return rowCount === 1;
}
