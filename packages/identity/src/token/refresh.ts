import { createHash, randomBytes } from "node:crypto";
import { addSeconds } from "@bursar/contract/instant";
import type { Deps } from "@bursar/engine/deps";
import type { ManagedPeople } from "../people/people.ts";
import { findPerson } from "../people/store.ts";
import type { Person } from "../person.ts";
import type { AccessTokens } from "./access.ts";
import { insertRefreshToken, type NewRefreshToken, rotateRefreshToken } from "./store-refresh.ts";

const REFRESH_TOKEN_SECONDS = 7 * 86_400;

export interface TokenPair {
  readonly accessToken: string;
  readonly refreshToken: string;
}

export type RefreshOutcome =
  | { readonly kind: "refreshed"; readonly tokens: TokenPair; readonly person: Person }
  | { readonly kind: "invalid" }
  | { readonly kind: "expired" }
  /** It was used before: one of the two who hold it is a thief, so both must sign in again. */
  | { readonly kind: "reused" };

/** Token pairs of a session. A refresh token is good once, for 7 days; there is no grace for a second use. */
export interface RefreshTokens {
  /** The first pair of a session. */
  begin(person: Person, sessionId: string): Promise<TokenPair>;
  /** Outcomes, first match wins: invalid, reused, expired, refreshed. The person is read anew. */
  refresh(refreshToken: string): Promise<RefreshOutcome>;
}

export interface RefreshTokenDeps extends Pick<Deps, "pool" | "clock" | "log"> {
  readonly access: AccessTokens;
  readonly people: Pick<ManagedPeople, "heal">;
}

export function hashOfToken(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

export function openRefreshTokens(deps: RefreshTokenDeps): RefreshTokens {
  const { pool, clock, log, access, people } = deps;
  const draw = (): { token: string; row: NewRefreshToken } => {
    const token = `bsr_${randomBytes(32).toString("base64url")}`;
    const createdAt = clock.now();
    const expiresAt = addSeconds(createdAt, REFRESH_TOKEN_SECONDS);
    return { token, row: { hash: hashOfToken(token), createdAt, expiresAt } };
  };
  return {
    begin: async (person, sessionId) => {
      const accessToken = await access.mint(person, sessionId);
      const { token: refreshToken, row } = draw();
      await insertRefreshToken(pool, sessionId, row);
      return { accessToken, refreshToken };
    },
    refresh: async (presented) => {
      const { token: refreshToken, row } = draw();
      const outcome = await rotateRefreshToken(pool, hashOfToken(presented), row);
      if (outcome.kind === "unknown") return { kind: "invalid" };
      if (outcome.kind === "expired") return outcome;
      if (outcome.kind === "reused") {
        log.warn({ userId: outcome.userId }, "a used refresh token came again; its session has been ended");
        return { kind: "reused" };
      }
      const record = await findPerson(pool, outcome.userId);
      if (record === null || record.disabled) return { kind: "invalid" };
      const person = await people.heal(record);
      const accessToken = await access.mint(person, outcome.sessionId);
      return { kind: "refreshed", person, tokens: { accessToken, refreshToken } };
    },
  };
}
