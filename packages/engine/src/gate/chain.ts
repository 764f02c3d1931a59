import type { AccountId } from "@bursar/contract/ids";
import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import { type Balance, balance } from "../balance/balance.ts";
import type { Deps } from "../deps.ts";
import type { Principal } from "../key/principal.ts";
import type { Cap } from "../ledger/command.ts";
import type { GatePorts } from "./ports.ts";

export type GateDeps = Pick<Deps, "pool" | "clock"> & { readonly gate: GatePorts };

/** Why an action does not pass. */
export type GateError =
  | "unauthenticated"
  | "key_revoked"
  | "key_expired"
  | "admin_required"
  | "account_unknown"
  | "account_frozen"
  | "in_debt"
  | "insufficient_credits"
  | "organization_unknown"
  | "organization_ambiguous"
  | "repository_unknown"
  | "invalid_request"
  | "organization_insufficient_credits"
  | "auto_topup_failed"
  | "auto_topup_disabled";

export interface GateAnswer {
  readonly kind: "answer";
  readonly error: GateError;
  readonly message: string;
  readonly remaining: MicroCredits | null;
}

/** Too little to begin. */
interface Shortage {
  readonly error: "insufficient_credits" | "in_debt";
  readonly available: MicroCredits;
  readonly missing: MicroCredits;
  /** All that the work needs, a debt included. */
  readonly needed: MicroCredits;
}

/** One action on its way through the gate; steps hand it on, each with what it has found out. */
export interface Passage {
  /** Asked again at every passage, so that what has ended meanwhile is noticed. */
  readonly authenticate: () => Promise<Principal | GateAnswer>;
  readonly principal: Principal | null;
  /** Who pays: the caller's own account, or after step 2 an organization's. */
  readonly accountId: AccountId;
  readonly isOrganization: boolean;
  /** By which role the caller acts for it. */
  readonly organization?: Principal["organization"];
  readonly caps: readonly Cap[];
  readonly organizationId: string | null;
  readonly repositoryUrl: string | null;
  /** What the work needs to begin; at least the smallest amount there is. */
  readonly needed: MicroCredits;
  readonly shortage: Shortage | null;
  /** Credits that were bought to let it pass. */
  readonly added: MicroCredits;
}

type StepOutcome = { readonly kind: "allow"; readonly passage: Passage } | GateAnswer;

/** A step allows, answers with an action, or throws when it cannot be known, which is a no. */
interface Step {
  readonly name: string;
  /** A hold, extension or charge does this itself, exactly: the ledger is the balance, and what wraps it tops up. */
  readonly isLedgers?: true;
  run(deps: GateDeps, passage: Passage): Promise<StepOutcome>;
}

const authenticate: Step = {
  name: "authenticate",
  run: async (_, passage) => {
    const principal = await passage.authenticate();
    if ("error" in principal) return principal;
    return allow({ ...passage, principal, caps: principal.caps });
  },
};

/** An organization that is named, or that a repository maps to, pays instead of the caller. */
const organization: Step = {
  name: "organization",
  run: async ({ gate }, passage) => {
    const { repositoryUrl, organizationId, principal } = passage;
    if ((repositoryUrl === null && organizationId === null) || principal === null) return allow(passage);
    if (gate.organizations === undefined)
      return organizationId === null ? allow(passage) : answer("organization_unknown", NO_ORGANIZATIONS);
    const payer = await gate.organizations.payerFor({ principal, organizationId, repositoryUrl });
    if (payer.kind === "own") return allow(passage);
    if (payer.kind === "refused") return answer(payer.error, payer.message);
    const caps = [...passage.caps, ...payer.caps];
    const { accountId, organization: acting } = payer;
    return allow({ ...passage, accountId, isOrganization: true, caps, organization: acting });
  },
};

const NO_ORGANIZATIONS = "This server has no organizations";

const monthlyQuota: Step = {
  name: "monthly quota",
  run: async ({ gate }, passage) => {
    await gate.quota?.resetIfDue(passage.accountId);
    return allow(passage);
  },
};

const balanceStep: Step = {
  name: "balance",
  isLedgers: true,
  run: async (deps, passage) => {
    const found = await balance(deps, passage.accountId);
    if (found === null) return answer("account_unknown", `There is no account ${passage.accountId}`);
    if (found.frozen) return answer("account_frozen", "The account is frozen", found.available);
    return allow({ ...passage, shortage: shortageOf(found, passage.needed) });
  },
};

/** Only a shortage asks for more: nothing else charges a card. */
const topUp: Step = {
  name: "top-up",
  isLedgers: true,
  run: async (deps, passage) => {
    const { shortage, accountId } = passage;
    if (shortage === null) return allow(passage);
    const covering = await deps.gate.topUp?.cover(accountId, shortage.needed);
    if (covering === undefined) return shortAnswer(passage);
    if (covering.kind === "not_covered") return notCovered(passage, covering.reason);
    const after = await balanceStep.run(deps, { ...passage, added: passage.added + covering.credits });
    return after.kind === "allow" && after.passage.shortage !== null ? shortAnswer(after.passage) : after;
  },
};

/** Why auto top-up did not help, as far as it is to blame at all. */
const TOP_UP_ANSWERS: Readonly<Record<string, readonly [error: GateError, message: string]>> = {
  suspended: ["auto_topup_disabled", "Auto top-up waits until a dispute or a refund is over"],
  no_payment_method: [
    "auto_topup_failed",
    "Auto top-up has no payment method that can be charged, and is switched off",
  ],
  declined: ["auto_topup_failed", "The payment for the auto top-up was declined, and it is switched off"],
  unavailable: ["auto_topup_failed", "The payment provider cannot be reached; auto top-up tries again"],
  requires_action: ["auto_topup_failed", "The payment for the auto top-up has to be confirmed by its owner"],
  timed_out: ["auto_topup_failed", "The auto top-up is still under way; ask again soon"],
  in_cooldown: ["auto_topup_failed", "Auto top-up has just bought credits, and waits before it buys again"],
  cap_reached: ["auto_topup_failed", "Auto top-up has reached the cap of its policy"],
  not_sold: ["auto_topup_failed", "Auto top-up cannot buy: credits are not sold in its currency"],
};

/** Null: nobody has switched it on, or it has no part in it. */
export function whyNotCovered(reason: string): readonly [error: GateError, message: string] | null {
  return TOP_UP_ANSWERS[reason] ?? null;
}

function notCovered(passage: Passage, reason: string): GateAnswer {
  const known = whyNotCovered(reason);
  return known === null ? shortAnswer(passage) : answer(...known, passage.shortage!.available);
}

/** The gate, in its order. The socket and HTTP go through the same list. */
export const STEPS: readonly Step[] = [authenticate, organization, monthlyQuota, balanceStep, topUp];

export type GateOutcome = { readonly kind: "allow"; readonly passage: Passage } | GateAnswer;

/** Walks an action through every step, up to the first answer.
 *  Throws: what cannot be known; callers take that for a no. Source: systems A, "Request middleware". */
export async function passGate(deps: GateDeps, start: Passage): Promise<GateOutcome> {
  return walk(deps, STEPS, start);
}

/** The same list without what a ledger command does itself: for calls that are one. */
export async function approachGate(deps: GateDeps, start: Passage): Promise<GateOutcome> {
  const steps = STEPS.filter(({ isLedgers }) => isLedgers !== true);
  return walk(deps, steps, start);
}

async function walk(deps: GateDeps, steps: readonly Step[], start: Passage): Promise<GateOutcome> {
  let passage = start;
  for (const step of steps) {
    const outcome = await step.run(deps, passage);
    if (outcome.kind === "answer") return outcome;
    passage = outcome.passage;
  }
  return allow(passage);
}

/** A passage at its beginning. */
export function passageFor(request: Pick<Passage, "authenticate" | "accountId"> & Partial<Passage>): Passage {
  const nothingKnown = { principal: null, isOrganization: false, caps: [], shortage: null, added: 0n };
  return { needed: 1n, organizationId: null, repositoryUrl: null, ...nothingKnown, ...request };
}

function shortageOf({ available, owed }: Balance, needed: MicroCredits): Shortage | null {
  const all = owed + needed;
  if (owed > 0n) return { error: "in_debt", available: 0n, missing: all, needed: all };
  return available >= needed
    ? null
    : { error: "insufficient_credits", available, missing: needed - available, needed };
}

function shortAnswer({ shortage, isOrganization }: Passage): GateAnswer {
  const { error, available, missing } = shortage!;
  const name = isOrganization ? "organization_insufficient_credits" : error;
  const whose = isOrganization ? "The organization" : "The account";
  const message =
    error === "in_debt"
      ? `${whose} is in debt; ${formatCredits(missing)} credits are missing`
      : `Not enough credits: ${formatCredits(available)} available, ${formatCredits(missing)} missing`;
  return answer(name, message, available);
}

function allow(passage: Passage): GateOutcome {
  return { kind: "allow", passage };
}

function answer(error: GateError, message: string, remaining: MicroCredits | null = null): GateAnswer {
  return { kind: "answer", error, message, remaining };
}
