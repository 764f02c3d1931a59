import type { Principal } from "@bursar/engine/key/principal";
import type { RestDeps } from "./context.ts";
import type { Problem } from "./problem.ts";

/** What costs money later needs its owner now: a person proves it with a TOTP code, an administrator says why, and
 *  also with a code unless it is by an admin key. An account's API key, which programs hold, is not enough. null: go on. */
export async function stepUpFor(
  deps: Pick<RestDeps, "identity">,
  principal: Principal,
  { totpCode, reason }: { totpCode: string | undefined; reason: string | undefined },
): Promise<Problem | null> {
  if (principal.kind === "admin" && reason === undefined) return REASON_REQUIRED;
  // A key is an administrator's own secret; a person's session may have been left open.
  if (principal.kind === "admin" && principal.keyId !== null) return null;
  const personId = /^user:(.+)$/.exec(principal.by)?.[1];
  if (personId === undefined) return PERSON_REQUIRED;
  const outcome = await deps.identity.stepUp({ personId, code: totpCode });
  switch (outcome.kind) {
    case "passed":
      return null;
    case "not_enabled":
      return NOT_ENABLED;
    case "code_required":
      return CODE_REQUIRED;
    case "refused":
      return REFUSED;
    case "limited":
      return {
        problem: "rate_limited",
        message: `Too many wrong codes; try again in ${outcome.retryAfterSeconds} s`,
        param: "totpCode",
        retryAfterSeconds: outcome.retryAfterSeconds,
      };
  }
}

const REASON_REQUIRED: Problem = {
  problem: "invalid_request",
  message: "reason: is required with an admin key, and recorded",
  param: "reason",
};

const PERSON_REQUIRED: Problem = {
  problem: "person_required",
  message:
    "An account's API key may not do this: sign in as its owner and send a TOTP code, or use an admin key with a reason",
};

const CODE_REQUIRED: Problem = {
  problem: "totp_refused",
  message: "totpCode: is required, six digits from your authenticator",
  param: "totpCode",
};

const NOT_ENABLED: Problem = {
  problem: "totp_not_enabled",
  message: "Two-factor authentication is not switched on for you; switch it on first",
  param: "totpCode",
};

const REFUSED: Problem = {
  problem: "totp_refused",
  message: "totpCode: is wrong or was used before; wait for the next one",
  param: "totpCode",
};
