import type { AccountId } from "@bursar/contract/ids";
import { credits, type MicroCredits } from "@bursar/contract/money";
import { createAccount } from "@bursar/engine/account/create";
import type { Deps } from "@bursar/engine/deps";
import { type DeleteOutcome, deleteForGood } from "../deletion/delete.ts";
import type { People } from "../identity.ts";
import type { Letter } from "../mail/letters.ts";
import type { Person, Role } from "../person.ts";
import { type LastAdministrator, unlessLast } from "./last-administrator.ts";
import { NotAName, namingFrom } from "./naming.ts";
import {
  findPasswordHash,
  findPerson,
  insertPerson,
  listPeople,
  type PersonRecord,
  updateDisabled,
  updateRole,
} from "./store.ts";

export interface CreatePersonRequest {
  readonly username?: string | undefined;
  readonly email?: string | undefined;
  readonly name?: string | undefined;
  /** Without one, the person signs in after a reset by mail or with OIDC. */
  readonly password?: string | undefined;
  readonly role?: Role | undefined;
  readonly emailVerified?: boolean | undefined;
  /** false: without what newcomers are given. */
  readonly welcome?: boolean | undefined;
}

export type CreatePersonOutcome =
  | { readonly kind: "created"; readonly person: Person }
  | { readonly kind: "taken"; readonly field: "email" | "username" };

export type ChangePersonOutcome =
  | { readonly kind: "changed"; readonly person: Person }
  | { readonly kind: "person_unknown" }
  | LastAdministrator;

/** What an administrator may do with people, besides finding them. */
export interface ManagedPeople extends People {
  /** Outcomes: taken, created. An e-mail or a username is needed. */
  create(request: CreatePersonRequest): Promise<CreatePersonOutcome>;
  /** Outcomes, as of the next one, first match wins: last_administrator, person_unknown, changed. */
  setRole(id: string, role: Role): Promise<ChangePersonOutcome>;
  /** Ends every session of the person, and with them their access tokens. */
  setDisabled(id: string, disabled: boolean): Promise<ChangePersonOutcome>;
  /** Their credit account stays, and nothing in it says whose it was. The letter is sent to them all the same. */
  delete(id: string, farewell?: Letter): Promise<DeleteOutcome>;
  /** Whether this is the password of whoever is named. Not limited: for the server's own checks. */
  hasPassword(named: string, password: string): Promise<boolean>;
  /** Makes the credit account that a person lacks, after a crash in between. */
  heal(person: PersonRecord): Promise<Person>;
}

/** Where a person is first told that credits run low. */
const ALERT_BELOW = credits("20");

/** Creates a newcomer's account, with whatever newcomers are given. An account that exists stays as it is. */
export type OpenAccount = (account: {
  readonly id: AccountId;
  readonly name: string;
  readonly alertBelow: MicroCredits;
}) => Promise<void>;

export function openPeople(
  deps: Pick<Deps, "pool" | "clock">,
  openAccount: OpenAccount = (account) => openEmptyAccount(deps, account),
): ManagedPeople {
  const { pool, clock } = deps;
  const healWith = (open: OpenAccount) => async (record: PersonRecord) => {
    const { hasAccount, disabled: _, ...person } = record;
    if (!hasAccount) {
      await open({ id: person.accountId, name: person.username ?? person.email, alertBelow: ALERT_BELOW });
    }
    return person;
  };
  const heal = healWith(openAccount);
  const healEmpty = healWith((account) => openEmptyAccount(deps, account));
  const find = async (named: string) => {
    const record = await findPerson(pool, named.trim());
    return record === null ? null : heal(record);
  };
  const changed = async (record: PersonRecord | LastAdministrator | null): Promise<ChangePersonOutcome> => {
    if (record === null) return { kind: "person_unknown" };
    return "kind" in record ? record : { kind: "changed", person: await heal(record) };
  };

  return {
    find,
    heal,
    findOrCreate: async (named) => {
      const known = await find(named);
      if (known !== null) return known;
      const facts = {
        role: "user",
        emailVerified: false,
        passwordHash: null,
        createdAt: clock.now(),
      } as const;
      await insertPerson(pool, { ...namingFrom(named), ...facts });
      const made = await find(named);
      if (made === null) throw new Error("the person was deleted while being made");
      return made;
    },
    list: async ({ role, limit, cursor }) => {
      const records = await listPeople(pool, { role: role ?? null, after: cursor ?? "", limit: limit + 1 });
      const people = await Promise.all(records.slice(0, limit).map(heal));
      return { people, nextCursor: records.length > limit ? people.at(-1)!.id : null };
    },
    create: (request) => create(deps, request, request.welcome === false ? healEmpty : heal),
    setRole: async (id, role) => {
      if (role === "admin") return changed(await updateRole(pool, id, role));
      return changed(await unlessLast(pool, id, (client) => updateRole(client, id, role)));
    },
    setDisabled: async (id, disabled) => {
      if (!disabled) return changed(await updateDisabled(pool, id, disabled));
      return changed(await unlessLast(pool, id, (client) => updateDisabled(client, id, disabled)));
    },
    delete: (id, farewell) => deleteForGood(deps, id, farewell ?? null),
    hasPassword: async (named, password) => {
      const record = await findPerson(pool, named);
      const hash = record === null ? null : await findPasswordHash(pool, record.id);
      if (hash === null) return false;
      const { verifyPassword } = await import("better-auth/crypto");
      return verifyPassword({ hash, password });
    },
  };
}

/** account_exists is fine too: somebody else has healed it meanwhile, under the same or an older name. */
async function openEmptyAccount(
  deps: Pick<Deps, "pool" | "clock">,
  account: Parameters<OpenAccount>[0],
): Promise<void> {
  await createAccount(deps, account);
}

async function create(
  { pool, clock }: Pick<Deps, "pool" | "clock">,
  request: CreatePersonRequest,
  heal: ManagedPeople["heal"],
): Promise<CreatePersonOutcome> {
  const named = request.email ?? request.username;
  if (named === undefined) throw new NotAName();
  const naming = namingFrom(named);
  const username = request.username?.toLowerCase() ?? naming.username;
  const passwordHash = request.password === undefined ? null : await hashOf(request.password);
  const isNew = await insertPerson(pool, {
    ...naming,
    username,
    name: request.name ?? request.username ?? naming.name,
    role: request.role ?? "user",
    emailVerified: request.emailVerified ?? false,
    passwordHash,
    createdAt: clock.now(),
  });
  if (isNew) return { kind: "created", person: await heal((await findPerson(pool, naming.email))!) };
  const holder = await findPerson(pool, naming.email);
  return { kind: "taken", field: holder?.email === naming.email ? "email" : "username" };
}

/** scrypt, as better-auth keeps it; loaded late, like all of the library. */
async function hashOf(password: string): Promise<string> {
  const { hashPassword } = await import("better-auth/crypto");
  return hashPassword(password);
}
