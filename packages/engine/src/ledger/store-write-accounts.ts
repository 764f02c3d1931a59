import type { Account } from "./account.ts";
import type { Statement } from "./round-trip.ts";
import { type BatchStatement, batchStatement, type Column, write } from "./store-statement.ts";

/** An account as it was known and as it is now. */
export interface ChangedAccount {
  readonly before: Account;
  readonly after: Account;
  /** Its grants, as their column says them. */
  readonly grantsAfter: string;
}

type AccountColumn = Column<ChangedAccount>;

/** What the decision was made on: the row must still be there as it was. The hash stands for the whole history, so that
 *  no memory of another one is believed, as after a failover that has lost commits. */
const CONDITION: readonly AccountColumn[] = [
  ["account_id", "text", ({ before }) => before.id],
  ["known_hash", "bytea", ({ before }) => before.hash],
  ["known_alert_below", "int8", ({ before }) => before.alertBelow],
  ["known_topup_below", "int8", ({ before }) => before.topupBelow],
];

/** What spending, holding and settling change: nearly every command. */
const USUAL_COLUMNS: readonly AccountColumn[] = [
  ["available", "int8", ({ after }) => after.available],
  ["held", "int8", ({ after }) => after.held],
  ["spent", "int8", ({ after }) => after.spent],
  ["grants", "text", ({ grantsAfter }) => grantsAfter],
  ["seq", "int8", ({ after }) => after.seq],
  ["hash", "bytea", ({ after }) => after.hash],
];

const RARE_COLUMNS: readonly AccountColumn[] = [
  ["owed", "int8", ({ after }) => after.owed],
  ["issued", "int8", ({ after }) => after.issued],
  ["expired", "int8", ({ after }) => after.expired],
  ["revoked", "int8", ({ after }) => after.revoked],
  ["frozen", "bool", ({ after }) => after.frozen],
];

/** Updates the accounts only if all of them are as they were known: else it divides by zero, which ends the
 *  transaction and with it everything that follows. No indexed column changes: the update stays HOT. */
function updateAccounts(name: string, changed: readonly AccountColumn[]): BatchStatement<ChangedAccount> {
  const set = changed.map(([column]) => `${column} = v.${column}`);
  return batchStatement(
    name,
    [...CONDITION, ...changed],
    (rows) => `with changed as (
      update accounts a set ${set.join(", ")} from (${rows.table}) as v
      where a.account_id = v.account_id and a.hash = v.known_hash
        and a.alert_below is not distinct from v.known_alert_below
        and a.topup_below is not distinct from v.known_topup_below
      returning 1
    )
    select 1 / (count(*) = ${rows.count})::int from changed`,
  );
}

const UPDATE_USUAL = updateAccounts("ledger_update_usual", USUAL_COLUMNS);
const UPDATE_WHOLE = updateAccounts("ledger_update_whole", [...USUAL_COLUMNS, ...RARE_COLUMNS]);

export const ACCOUNT_STATEMENTS = [UPDATE_USUAL, UPDATE_WHOLE];

/** Fewer columns are a third less work for both sides, so accounts of which only the usual ones changed go apart.
 *  In id order, so that two processes which did not lock beforehand wait for each other rather than deadlock. */
export function writeAccounts(changed: readonly ChangedAccount[]): Statement[] {
  const usual: ChangedAccount[] = [];
  const whole: ChangedAccount[] = [];
  for (const account of changed.toSorted((a, b) => (a.before.id < b.before.id ? -1 : 1)))
    (isUsual(account) ? usual : whole).push(account);
  return [...write(UPDATE_USUAL, usual), ...write(UPDATE_WHOLE, whole)];
}

function isUsual({ before, after }: ChangedAccount): boolean {
  return (
    before.owed === after.owed &&
    before.issued === after.issued &&
    before.expired === after.expired &&
    before.revoked === after.revoked &&
    before.frozen === after.frozen
  );
}
