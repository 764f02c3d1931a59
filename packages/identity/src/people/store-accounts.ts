import type { AccountId } from "@bursar/contract/ids";
import type { AccountRecord } from "@bursar/engine/account/store";
import type pg from "pg";
import { canGetMail } from "./naming.ts";

/** Whose credits an account has. */
export interface AccountOwner {
  readonly kind: "person" | "organization";
  readonly id: string;
  readonly name: string;
  readonly username: string | null;
  /** null where none is known that mail could reach. */
  readonly email: string | null;
}

export interface OwnedAccount extends AccountRecord {
  /** null for an account that was made by itself. */
  readonly owner: AccountOwner | null;
}

interface Row extends AccountRecord {
  readonly personId: string | null;
  readonly personName: string | null;
  readonly username: string | null;
  readonly email: string | null;
  readonly organizationId: string | null;
  readonly organizationName: string | null;
}

/** Accounts are named after people and organizations, so that each is found by the other. */
const ACCOUNTS = `select a.account_id as id, a.name, a.available, a.held, a.owed, a.frozen,
    a.alert_below as "alertBelow", a.created_at as "createdAt",
    p.id as "personId", p.name as "personName", p.username, p.email,
    o.organization_id as "organizationId", o.name as "organizationName"
  from accounts a
  left join identity.people p on p.id = 'user_' || substr(a.account_id, 6)
  left join organizations o on o.account_id = a.account_id`;

export async function findOwnedAccount(pool: pg.Pool, id: AccountId): Promise<OwnedAccount | null> {
  const { rows } = await pool.query<Row>(`${ACCOUNTS} where a.account_id = $1`, [id]);
  return rows[0] === undefined ? null : ownedAccount(rows[0]);
}

export interface AccountsAsked {
  /** Part of a name, id, username or e-mail of the account or its owner; null: all accounts. */
  readonly search: string | null;
  readonly after: string;
  readonly limit: number;
}

/** Each of the three has an index of trigrams over these columns. */
const MATCHING = `and a.account_id in (
  select account_id from accounts where account_id ilike $3 or name ilike $3
  union select 'acct_' || substr(id, 6) from identity.people
    where id ilike $3 or email ilike $3 or username ilike $3 or name ilike $3
  union select account_id from organizations where organization_id ilike $3 or name ilike $3)`;

/** Accounts after a given id, in id order. */
export async function findAccounts(
  pool: pg.Pool,
  { search, after, limit }: AccountsAsked,
): Promise<OwnedAccount[]> {
  const { rows } = await pool.query<Row>(
    `${ACCOUNTS} where a.account_id > $1 ${search === null ? "" : MATCHING} order by a.account_id limit $2`,
    [after, limit, ...(search === null ? [] : [patternOf(search)])],
  );
  return rows.map(ownedAccount);
}

/** What is shorter than the index's three letters must begin with it; anything else may be anywhere. */
function patternOf(search: string): string {
  const text = search.replace(/[\\%_]/g, (character) => `\\${character}`);
  return /^..?$/su.test(search) ? `${text}%` : `%${text}%`;
}

function ownedAccount(row: Row): OwnedAccount {
  const { personId, personName, username, email, organizationId, organizationName, ...account } = row;
  if (organizationId !== null) {
    const facts = { id: organizationId, name: organizationName ?? "", username: null, email: null };
    return { ...account, owner: { kind: "organization", ...facts } };
  }
  if (personId === null) return { ...account, owner: null };
  const reachable = email !== null && canGetMail(email) ? email : null;
  const facts = { id: personId, name: personName ?? "", username, email: reachable };
  return { ...account, owner: { kind: "person", ...facts } };
}
