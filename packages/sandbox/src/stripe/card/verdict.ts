import type { TestNumber } from "./cards.ts";

export interface Attempt {
  readonly number: TestNumber;
  readonly isExpired: boolean;
  /** Nobody is there to answer questions. */
  readonly isOffSession: boolean;
  /** The holder has just proved to be who they are. */
  readonly isAuthenticated: boolean;
  /** The holder has done so for later use. */
  readonly isSetUp: boolean;
  /** Somebody asked for a proof although none is needed. */
  readonly wantsAuthentication: boolean;
  /** A decline that was asked for. */
  readonly forcedDecline: string | null;
}

export type Verdict =
  | { readonly kind: "authenticate" }
  | { readonly kind: "declined"; readonly decline: string }
  | { readonly kind: "later"; readonly decline: string | null }
  | { readonly kind: "pays" };

/** What comes of an attempt to charge. First match wins: a decline asked for, an expired card, authentication, the number's own decline,
 *  later, pays. */
export function decideCharge(attempt: Attempt): Verdict {
  const { number, isExpired, isOffSession, forcedDecline } = attempt;
  if (forcedDecline !== null) return { kind: "declined", decline: forcedDecline };
  if (isExpired) return { kind: "declined", decline: "expired_card" };
  if (needsAuthentication(attempt)) {
    return isOffSession ? { kind: "declined", decline: "authentication_required" } : { kind: "authenticate" };
  }
  if (!number.settlesAtOnce) return { kind: "later", decline: number.decline };
  return number.decline === null ? { kind: "pays" } : { kind: "declined", decline: number.decline };
}

function needsAuthentication(attempt: Attempt): boolean {
  const { number, isOffSession, isAuthenticated, isSetUp, wantsAuthentication } = attempt;
  if (isAuthenticated) return false;
  switch (number.authentication) {
    case "always":
      return true;
    case "once":
      return !isSetUp;
    case "on_session":
      return !isOffSession;
    case "never":
      return wantsAuthentication && !isOffSession && number.type === "card";
  }
}
