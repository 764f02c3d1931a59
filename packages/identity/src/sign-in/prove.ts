import type pg from "pg";
import { findPasswordHash } from "../people/store.ts";
import type { Factors } from "../second-factor/factors.ts";
import { findFactor } from "../second-factor/store.ts";
import type { Attempts } from "./attempts.ts";
import { stepUp } from "./step-up.ts";
import { hasComeInSince } from "./store-sessions.ts";

export interface ProveRequest {
  readonly personId: string;
  readonly sessionId: string;
  readonly address: string;
  readonly password?: string | undefined;
  /** The second factor's, where the person has one. */
  readonly code?: string | undefined;
}

export type ProveOutcome =
  | { readonly kind: "proved" }
  | { readonly kind: "password_required" }
  | { readonly kind: "password_wrong" }
  /** The person has no password: they have to come in anew by what they sign in with. */
  | { readonly kind: "sign_in_required" }
  | { readonly kind: "code_required" }
  /** Wrong, or used before. */
  | { readonly kind: "code_wrong" }
  | { readonly kind: "limited"; readonly of: "password" | "code"; readonly retryAfterSeconds: number };

export interface Proof {
  /** False: a fresh sign-in instead. */
  readonly password: boolean;
  readonly code: boolean;
}

export async function proofOf(pool: pg.Pool, personId: string): Promise<Proof> {
  const [hash, factor] = await Promise.all([findPasswordHash(pool, personId), findFactor(pool, personId)]);
  return { password: hash !== null, code: factor !== null };
}

interface ProveDeps {
  readonly pool: pg.Pool;
  readonly attempts: Attempts;
  readonly factors: Factors;
}

/** Asks somebody who is signed in for all that signing in takes, before what cannot be taken back: a session may have been
 *  left open. Wrong passwords count like those of sign-ins, wrong codes like those of other second steps. Outcomes, first
 *  match wins: sign_in_required, password_required, limited, password_wrong, code_required, limited, code_wrong, proved. */
export async function prove(deps: ProveDeps, request: ProveRequest): Promise<ProveOutcome> {
  const first = await proveFirst(deps, request);
  return first.kind === "proved" ? proveSecond(deps, request) : first;
}

/** How old a sign-in may be that stands for a password. */
export const FRESH_SECONDS = 600;

async function proveFirst({ pool, attempts }: ProveDeps, request: ProveRequest): Promise<ProveOutcome> {
  const { personId, sessionId, password, address } = request;
  const hash = await findPasswordHash(pool, personId);
  if (hash === null) {
    const isFresh = await hasComeInSince(pool, { personId, sessionId, seconds: FRESH_SECONDS });
    return { kind: isFresh ? "proved" : "sign_in_required" };
  }
  if (password === undefined) return { kind: "password_required" };
  const check = async () => {
    const { verifyPassword } = await import("better-auth/crypto");
    return verifyPassword({ hash, password });
  };
  const outcome = await attempts.guard({ account: personId, address }, check, (right) => !right);
  if (outcome.kind === "limited") return { ...outcome, of: "password" };
  return { kind: outcome.result ? "proved" : "password_wrong" };
}

async function proveSecond(deps: ProveDeps, { personId, code }: ProveRequest): Promise<ProveOutcome> {
  const outcome = await stepUp(deps, { personId, code });
  switch (outcome.kind) {
    case "passed":
    case "not_enabled":
      return { kind: "proved" };
    case "refused":
      return { kind: "code_wrong" };
    case "limited":
      return { ...outcome, of: "code" };
    case "code_required":
      return outcome;
  }
}
