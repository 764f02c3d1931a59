import { createHash } from "node:crypto";
import { createOTP } from "@better-auth/utils/otp";
import type pg from "pg";
import type { Factors } from "../second-factor/factors.ts";
import { type FactorRow, findFactor } from "../second-factor/store.ts";
import type { Attempts } from "./attempts.ts";
import { CODE_SECONDS } from "./replay.ts";
import { useCode } from "./store-used-codes.ts";

export type StepUpOutcome =
  | { readonly kind: "passed" }
  /** The person has no second factor: they must enrol first. */
  | { readonly kind: "not_enabled" }
  | { readonly kind: "code_required" }
  /** Wrong, or used before. */
  | { readonly kind: "refused" }
  | { readonly kind: "limited"; readonly retryAfterSeconds: number };

const DIGITS = 6;
const PERIOD_SECONDS = 30;

/** Asks somebody who is signed in for their second factor once more, before something that costs money: six digits,
 *  good for their own half minute and one to either side, never twice, and tries are limited. Outcomes, first match wins:
 *  not_enabled, code_required, limited, refused, passed. */
export async function stepUp(
  deps: { readonly pool: pg.Pool; readonly attempts: Attempts; readonly factors: Factors },
  request: { readonly personId: string; readonly code?: string | undefined },
): Promise<StepUpOutcome> {
  const { personId, code } = request;
  const factor = await findFactor(deps.pool, personId);
  if (factor === null) return { kind: "not_enabled" };
  if (code === undefined) return { kind: "code_required" };
  // Counted apart from sign-ins, so that guessing here locks nobody out; the person is the only address.
  const attempt = { account: `step-up:${personId}`, address: `step-up:${personId}` };
  const outcome = await deps.attempts.guard(attempt, () => isRight(deps, code, factor), isWrong);
  if (outcome.kind === "limited") return outcome;
  return { kind: outcome.result ? "passed" : "refused" };
}

const isWrong = (right: boolean) => !right;

async function isRight(
  { pool, factors }: { readonly pool: pg.Pool; readonly factors: Factors },
  code: string,
  factor: FactorRow,
): Promise<boolean> {
  if (!/^\d{6}$/.test(code)) return false;
  // Used up before it is checked, as at sign-in, so that twins cannot both pass.
  const hash = createHash("sha256").update(code).digest();
  if (!(await useCode(pool, factor.userId, hash, CODE_SECONDS))) return false;
  const shared = await factors.open(factor.userId, "secret", factor.secret);
  await factors.renew(factor);
  return createOTP(shared, { digits: DIGITS, period: PERIOD_SECONDS }).verify(code, { window: 1 });
}
