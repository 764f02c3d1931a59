import type { Instant } from "@bursar/contract/instant";
import type pg from "pg";
import type { Role } from "../person.ts";

/** All that is known about somebody but their secrets: passwords, tokens and codes are told to nobody. */
export interface PersonFacts {
  readonly id: string;
  readonly name: string;
  readonly username: string | null;
  readonly email: string;
  readonly emailVerified: boolean;
  /** Where their picture is, as an OIDC provider has told. */
  readonly image: string | null;
  readonly role: Role;
  readonly disabled: boolean;
  readonly secondFactor: boolean;
  readonly createdAt: Instant;
  readonly logins: readonly LoginFacts[];
  readonly sessions: readonly SessionFacts[];
}

/** A way to sign in: `credential` is a password. */
export interface LoginFacts {
  readonly provider: string;
  /** Who they are to that provider. */
  readonly subject: string;
  readonly createdAt: Instant;
}

export interface SessionFacts {
  readonly id: string;
  readonly address: string | null;
  readonly userAgent: string | null;
  readonly createdAt: Instant;
  readonly expiresAt: Instant;
}

export async function readPersonFacts(pool: pg.Pool, id: string): Promise<PersonFacts | null> {
  const { rows } = await pool.query<Omit<PersonFacts, "logins" | "sessions">>(
    `select id, name, username, email, email_verified as "emailVerified", image, role, disabled,
       two_factor_enabled as "secondFactor", created_at as "createdAt"
     from identity.people where id = $1`,
    [id],
  );
  const [person] = rows;
  if (person === undefined) return null;
  const logins = await pool.query<LoginFacts>(
    `select provider_id as provider, account_id as subject, created_at as "createdAt"
     from identity.logins where user_id = $1 order by created_at, provider_id`,
    [id],
  );
  const sessions = await pool.query<SessionFacts>(
    `select id, ip_address as address, user_agent as "userAgent", created_at as "createdAt",
       expires_at as "expiresAt"
     from identity.sessions where user_id = $1 order by created_at, id`,
    [id],
  );
  return { ...person, logins: logins.rows, sessions: sessions.rows };
}
