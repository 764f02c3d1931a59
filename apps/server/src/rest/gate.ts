import { ERRORS, type ErrorCode } from "@bursar/contract/errors";
import { ORGANIZATION_HEADER, REPOSITORY_HEADER } from "@bursar/contract/headers";
import type { AccountId } from "@bursar/contract/ids";
import { approachGate, type GateAnswer, passageFor } from "@bursar/engine/gate/chain";
import type { PayerQuestion } from "@bursar/engine/gate/ports";
import type { Principal } from "@bursar/engine/key/principal";
import type { RestDeps } from "./context.ts";
import type { Problem } from "./problem.ts";

interface Paying {
  readonly principal: Principal;
  readonly accountId: AccountId;
}

/** Takes a call of a caller who is known through the steps that come before the ledger: whose credits pay, and where the
 *  call uses any, whether a month's quota is due. The ledger itself is the rest of the gate.
 *  Throws when it cannot be known. */
export async function passHttpGate(
  deps: Pick<RestDeps, "pool" | "clock" | "gate">,
  asked: Pick<PayerQuestion, "organizationId" | "repositoryUrl">,
  { principal, accountId }: Paying,
  usesCredits: boolean,
): Promise<Paying | Problem> {
  const { organizationId, repositoryUrl } = asked;
  if (!usesCredits && organizationId === null && repositoryUrl === null) return { principal, accountId };
  const authenticate = () => Promise.resolve(principal);
  const passage = passageFor({ authenticate, accountId, organizationId, repositoryUrl });
  const outcome = await approachGate(deps, passage);
  if (outcome.kind === "answer") return problemOf(outcome);
  const { accountId: payer, caps, organization } = outcome.passage;
  return { principal: { ...principal, caps, organization }, accountId: payer };
}

function problemOf({ error, message }: GateAnswer): Problem {
  const isCode = (name: string): name is ErrorCode => name in ERRORS;
  return { problem: isCode(error) ? error : "insufficient_credits", message, param: PARAMS[error] ?? null };
}

/** What is wrong with the question of who pays is wrong in a header. */
const PARAMS: Readonly<Partial<Record<GateAnswer["error"], string>>> = {
  organization_unknown: ORGANIZATION_HEADER,
  organization_ambiguous: ORGANIZATION_HEADER,
  repository_unknown: REPOSITORY_HEADER,
  invalid_request: REPOSITORY_HEADER,
};
