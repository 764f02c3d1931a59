import { MICROSECONDS_PER_SECOND } from "@bursar/contract/instant";
import type { Clock } from "@bursar/engine/clock/clock";
import { errors, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import type { Person } from "../person.ts";
import type { SigningKeys } from "./signing-keys.ts";

export const ACCESS_TOKEN_SECONDS = 15 * 60;

const AUDIENCE = "bursar";

export type VerifyOutcome =
  | { readonly kind: "valid"; readonly sessionId: string }
  | { readonly kind: "invalid" }
  | { readonly kind: "expired" };

/** Signed statements of who somebody is, for 15 minutes. Any service can check one with the published keys alone; this
 *  one takes from it only which session it is of, and asks the database whose that is. */
export interface AccessTokens {
  mint(person: Person, sessionId: string): Promise<string>;
  /** Asks no database, except for a key it has not seen. */
  verify(token: string): Promise<VerifyOutcome>;
}

const claims = z.object({ sid: z.string() });

export interface AccessTokenDeps {
  readonly clock: Clock;
  readonly keys: SigningKeys;
  /** The issuer: this server's public address. */
  readonly url: () => string;
}

export function openAccessTokens({ clock, keys, url }: AccessTokenDeps): AccessTokens {
  const seconds = () => Math.floor(clock.now() / MICROSECONDS_PER_SECOND);
  return {
    mint: async (person, sessionId) => {
      const { kid, key } = await keys.signer();
      const { id, username, email, emailVerified, name, role } = person;
      return new SignJWT({ sid: sessionId, username, email, email_verified: emailVerified, name, role })
        .setProtectedHeader({ alg: "EdDSA", kid, typ: "at+jwt" })
        .setSubject(id)
        .setIssuer(url())
        .setAudience(AUDIENCE)
        .setIssuedAt(seconds())
        .setExpirationTime(seconds() + ACCESS_TOKEN_SECONDS)
        .sign(key);
    },
    verify: async (token) => {
      try {
        const { payload } = await jwtVerify(token, ({ kid }) => keyOf(keys, kid), {
          algorithms: ["EdDSA"],
          typ: "at+jwt",
          issuer: url(),
          audience: AUDIENCE,
          requiredClaims: ["exp", "iat"],
          currentDate: new Date(seconds() * 1000),
        });
        const parsed = claims.safeParse(payload);
        return parsed.success ? { kind: "valid", sessionId: parsed.data.sid } : { kind: "invalid" };
      } catch (error) {
        if (error instanceof errors.JWTExpired) return { kind: "expired" };
        if (error instanceof errors.JOSEError) return { kind: "invalid" };
        throw error;
      }
    },
  };
}

async function keyOf(keys: SigningKeys, kid: string | undefined) {
  const key = kid === undefined ? null : await keys.verifier(kid);
  if (key === null) throw new errors.JWSInvalid("an unknown key");
  return key;
}
