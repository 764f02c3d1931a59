import { newCapRequestId } from "@bursar/contract/ids";
import { formatCredits, type MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { type NoticeToTell, notify } from "../notice/notify.ts";
import { useOf } from "./caps.ts";
import { type CapWindow, mayDecideAbout, tightestCap } from "./decide.ts";
import { findMember, listMembers, updateCaps } from "./store-members.ts";
import * as store from "./store-requests.ts";
import { type Denied, type InOrganization, lookInto, type Turn, takeTurn } from "./turn.ts";

type RequestDeps = Pick<Deps, "pool" | "clock">;

export interface AskRequest extends InOrganization {
  readonly personId: string;
  readonly amount: MicroCredits;
  /** Which cap is to grow; default: the one with the least left. */
  readonly window?: CapWindow | undefined;
  readonly reason: string;
}

export type AskOutcome =
  | { readonly kind: "asked"; readonly request: store.RequestRecord }
  | { readonly kind: "member_unknown" }
  /** There is nothing to ask for. */
  | { readonly kind: "cap_unset"; readonly window: CapWindow | null }
  | { readonly kind: "request_open"; readonly id: string }
  | Denied;

/** Asks owner and admins for a higher cap. One request at a time. */
export function askForMore(deps: RequestDeps, request: AskRequest): Promise<AskOutcome> {
  const { organizationId, personId, amount, reason } = request;
  return takeTurn(deps, request, "ask", async (turn) => {
    const { client, organization, now } = turn;
    const member = await findMember(client, organizationId, personId);
    if (member === null) return { kind: "member_unknown" };
    const used = await useOf(client, organization.accountId, personId, now);
    const window = request.window ?? tightestCap(member, used);
    if (window === null || member[window] === null) return { kind: "cap_unset", window };
    const open = await store.findOpenRequest(client, organizationId, personId);
    if (open !== null) return { kind: "request_open", id: open };
    const facts = { id: newCapRequestId(), organizationId, personId, window, amount, reason };
    const asked = { ...facts, createdAt: now, ...store.UNDECIDED };
    await store.insertRequest(client, asked);
    await tellDeciders(deps, turn, asked);
    return { kind: "asked", request: asked };
  });
}

async function tellDeciders(deps: RequestDeps, turn: Turn, asked: store.RequestRecord): Promise<void> {
  const { client, organization } = turn;
  const deciders = (await listMembers(client, organization.id)).filter(
    ({ role, personId }) => role !== "member" && personId !== asked.personId,
  );
  const amount = formatCredits(asked.amount);
  const text = `A member of ${organization.name} asks for ${amount} credits more ${SPANS[asked.window]}: ${asked.reason}`;
  for (const { personAccountId } of deciders)
    await notify(client, deps.clock, {
      ...noticeAbout(asked),
      accountId: personAccountId,
      id: `organization_request:${asked.id}`,
      title: "A member asks for credits",
      text,
    });
}

const SPANS: Record<CapWindow, string> = { day: "a day", month: "a month", total: "in all" };

function noticeAbout({ id, organizationId, personId, amount, window }: store.RequestRecord) {
  const details = { requestId: id, organizationId, personId, window, amount: formatCredits(amount) };
  return { kind: "organization_request", details, mail: true } satisfies Partial<NoticeToTell>;
}

/** Open requests first, then the latest. A member sees their own. */
export function requests(
  deps: RequestDeps,
  request: InOrganization,
): Promise<{ readonly kind: "requests"; readonly requests: readonly store.RequestRecord[] } | Denied> {
  return lookInto(deps, request, "see", async ({ client, organization, role }) => {
    const all = await store.listRequests(client, organization.id);
    const mine = all.filter(({ personId }) => personId === request.actor.personId);
    return { kind: "requests", requests: role === "member" ? mine : all };
  });
}

export interface DecideRequest extends InOrganization {
  readonly id: string;
  /** null denies; else how much more, where it is not what was asked. */
  readonly approve: { readonly amount?: MicroCredits | undefined } | null;
}

export type DecideOutcome =
  | { readonly kind: "decided"; readonly request: store.RequestRecord }
  | { readonly kind: "request_unknown" }
  | { readonly kind: "request_decided"; readonly state: "approved" | "denied" }
  | Denied;

/** Approves a request, which raises the member's cap at once, or denies it; the member is told. Nobody but an owner
 *  decides about their own. Outcomes: organization_unknown, request_unknown, role_required, request_decided, decided. */
export function decideRequest(deps: RequestDeps, request: DecideRequest): Promise<DecideOutcome> {
  const { organizationId, id, actor } = request;
  return takeTurn(deps, request, "decideRequests", async (turn): Promise<DecideOutcome> => {
    const { client, role, now } = turn;
    const asked = await store.findRequest(client, organizationId, id);
    const member = asked === null ? null : await findMember(client, organizationId, asked.personId);
    if (asked === null || (member === null && asked.state === "open")) return { kind: "request_unknown" };
    if (asked.state !== "open") return { kind: "request_decided", state: asked.state };
    if (!mayDecideAbout(role, member!.role)) return { kind: "role_required", role, action: "decideRequests" };
    const approved = request.approve === null ? null : (request.approve.amount ?? asked.amount);
    const state = approved === null ? ("denied" as const) : ("approved" as const);
    const decided = { ...asked, state, approvedAmount: approved, decidedAt: now, decidedBy: actor.by };
    await store.closeRequest(client, decided);
    const cap = member![asked.window];
    if (approved !== null && cap !== null)
      await updateCaps(client, organizationId, asked.personId, {
        ...member!,
        [asked.window]: cap + approved,
      });
    const { personAccountId } = member!;
    await notify(client, deps.clock, { ...answerTo(decided, turn), accountId: personAccountId });
    return { kind: "decided", request: decided };
  });
}

function answerTo(decided: store.RequestRecord, { organization }: Turn): Omit<NoticeToTell, "accountId"> {
  const { approvedAmount } = decided;
  const text =
    approvedAmount === null
      ? `Your request for more credits of ${organization.name} was denied.`
      : `You may use ${formatCredits(approvedAmount)} credits more of ${organization.name} ${SPANS[decided.window]}.`;
  const title = approvedAmount === null ? "Request denied" : "Request approved";
  return { ...noticeAbout(decided), id: `organization_request:${decided.id}:${decided.state}`, title, text };
}
