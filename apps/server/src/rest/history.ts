import { addSeconds } from "@bursar/contract/instant";
import type { Receipt as ReceiptAnswer } from "@bursar/contract/operations/history";
import { credits, iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import type { Entry } from "@bursar/engine/ledger/entry";
import { entriesBefore } from "@bursar/engine/ledger/store-read";
import { type Receipt, receipt } from "@bursar/engine/receipt/receipt";
import { type UsageGroup, usageBetween } from "@bursar/engine/usage/store";
import { type Handler, onlyPerson, type RestDeps } from "./context.ts";
import { numberFrom } from "./cursor.ts";
import { isProblem, refused } from "./problem.ts";

export const listEntries: Handler<"listEntries"> = async ({ deps, accountId, query }) => {
  const before = numberFrom(query.cursor);
  if (isProblem(before)) return before;
  const entries = await entriesBefore(deps.pool, accountId, before, query.limit);
  if (entries.length === 0 && (await findAccount(deps.pool, accountId)) === null) {
    return refused({ kind: "account_unknown", accountId });
  }
  const last = entries.at(-1);
  const nextCursor =
    entries.length === query.limit && last !== undefined && last.seq > 1n ? `before:${last.seq}` : null;
  return { answer: { entries: entries.map(entryAnswer), nextCursor } };
};

export function entryAnswer(entry: Entry) {
  return {
    seq: Number(entry.seq),
    kind: entry.kind,
    amount: credits(entry.amount),
    availableAfter: credits(entry.availableAfter),
    heldAfter: credits(entry.heldAfter),
    owedAfter: credits(entry.owedAfter),
    reference: entry.reference,
    feature: entry.feature,
    at: iso(entry.at)!,
    by: entry.by,
    note: entry.note,
    hash: entry.hash,
  };
}

export const getReceipt: Handler<"getReceipt"> = async ({ deps, accountId, params }) => {
  const found = await receipt(deps, accountId, params.id);
  if (found !== null) return { answer: receiptAnswer(found) };
  return {
    problem: "receipt_unknown",
    message: `Nothing is known under ${params.id} on this account`,
    param: "id",
  };
};

function receiptAnswer(found: Receipt): ReceiptAnswer {
  const { pricing, policy, metadata, ...rest } = found;
  return {
    ...rest,
    amount: found.amount === null ? null : credits(found.amount),
    charged: credits(found.charged),
    at: iso(found.at)!,
    draws: found.draws.map((draw) => ({ ...draw, amount: credits(draw.amount) })),
    price: priceAnswer(pricing),
    policy: policy as ReceiptAnswer["policy"],
    metadata: metadata as ReceiptAnswer["metadata"],
    entries: found.entries.map(entryAnswer),
  };
}

/** The fields are the very ones that pricing recorded (`price/work.ts`). */
function priceAnswer(pricing: Receipt["pricing"]): ReceiptAnswer["price"] {
  if (pricing === null || typeof pricing["model"] !== "string") return null;
  const recorded = pricing as unknown as Omit<
    NonNullable<ReceiptAnswer["price"]>,
    "version" | "marginPercent"
  > & {
    priceVersion: number;
    marginBasisPoints: number;
  };
  return {
    version: recorded.priceVersion,
    model: recorded.model,
    inputTokens: recorded.inputTokens,
    cachedInputTokens: recorded.cachedInputTokens,
    outputTokens: recorded.outputTokens,
    inputPerMillion: recorded.inputPerMillion,
    cachedInputPerMillion: recorded.cachedInputPerMillion,
    outputPerMillion: recorded.outputPerMillion,
    marginPercent: String(recorded.marginBasisPoints / 100),
  };
}

const DEFAULT_DAYS = 30;
const SECONDS_PER_DAY = 86_400;

export const getUsage: Handler<"getUsage"> = async ({ deps, accountId, query, principal }) => {
  // What was charged this moment has been charged, also while a sandbox's time stands still.
  const to = query.to ?? addSeconds(deps.clock.now(), 1);
  const from = query.from ?? addSeconds(to, -DEFAULT_DAYS * SECONDS_PER_DAY);
  if (from >= to) return { problem: "invalid_request", message: "must be before to", param: "from" };
  const asked = { from, to, grouping: query.groupBy, personId: onlyPerson(principal) };
  const groups = await usageBetween(deps.pool, accountId, asked);
  if (groups.length === 0 && (await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  const nameOf = query.groupBy === "member" ? await namesOf(deps, groups) : new Map<string, string>();
  const sum = (value: (group: (typeof groups)[number]) => bigint) =>
    groups.reduce((total, group) => total + value(group), 0n);
  return {
    answer: {
      from: iso(from)!,
      to: iso(to)!,
      total: {
        amount: credits(sum((group) => group.amount)),
        requests: Number(sum((group) => group.requests)),
        inputTokens: Number(sum((group) => group.inputTokens)),
        outputTokens: Number(sum((group) => group.outputTokens)),
      },
      groups: groups.map((group) => ({
        group: group.group,
        name: nameOf.get(group.group) ?? null,
        amount: credits(group.amount),
        requests: Number(group.requests),
        inputTokens: Number(group.inputTokens),
        cachedInputTokens: Number(group.cachedInputTokens),
        outputTokens: Number(group.outputTokens),
      })),
    },
  };
};

/** What people are called, by their ids; whoever was deleted is not among them. */
async function namesOf(
  { identity }: Pick<RestDeps, "identity">,
  groups: readonly UsageGroup[],
): Promise<Map<string, string>> {
  const ids = groups.map(({ group }) => group).filter((id) => id !== "");
  const people = await Promise.all(ids.map((id) => identity.people.find(id)));
  return new Map(people.flatMap((person) => (person === null ? [] : [[person.id, person.name]])));
}
