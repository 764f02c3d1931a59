import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { drawsFromText, type Entry, keyOf } from "../ledger/entry.ts";
import { closingKey } from "../ledger/key.ts";
import { entriesAbout, grantSources } from "../ledger/store-read.ts";
import { findRefusal, type RefusalRow } from "./store.ts";

/** Why one decision fell as it did. */
export interface Receipt {
  readonly id: string;
  readonly accountId: AccountId;
  readonly requestId: string | null;
  readonly decision: "allow" | "deny";
  readonly reason: string | null;
  readonly operation: string;
  readonly amount: MicroCredits | null;
  readonly charged: MicroCredits;
  readonly feature: string | null;
  readonly at: Instant;
  readonly by: string;
  readonly note: string | null;
  readonly draws: readonly { grantId: string; source: string; amount: MicroCredits }[];
  /** The pricing as it was recorded with the decision. */
  readonly pricing: Readonly<Record<string, unknown>> | null;
  readonly policy: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly entries: readonly Entry[];
}

/** Finds a receipt by request id, or by the id of the operation, hold or grant. A hold's receipt tells its opening and
 *  its closing together. null: nothing is known under this id. */
export async function receipt(
  deps: Pick<Deps, "pool">,
  accountId: AccountId,
  id: string,
): Promise<Receipt | null> {
  const found = await withWholeHolds(deps, accountId, id);
  const { entries } = found;
  if (entries.length === 0) {
    const refusal = await findRefusal(deps.pool, accountId, id);
    return refusal === null ? null : denied(accountId, refusal);
  }
  const sources = await grantSources(deps.pool, accountId, [
    ...new Set(drawsOf(entries).map(([grantId]) => grantId)),
  ]);
  return allowed(accountId, found, sources);
}

/** A request may have opened a hold that another request settled: the receipt tells both. */
async function withWholeHolds(deps: Pick<Deps, "pool">, accountId: AccountId, id: string): Promise<Found> {
  const found = await entriesAbout(deps.pool, accountId, [keyOf(id), keyOf(closingKey(id))], id, []);
  const { entries } = found;
  const holds = new Set(
    entries.filter((entry) => HOLD_KINDS.has(entry.kind)).map((entry) => entry.reference),
  );
  if (holds.size === 0) return found;
  const keys = [...holds].flatMap((holdId) => [keyOf(holdId), keyOf(closingKey(holdId))]);
  return entriesAbout(deps.pool, accountId, [...keys, keyOf(id)], id, [...holds]);
}

const HOLD_KINDS: ReadonlySet<string> = new Set(["hold", "extend", "settle", "release"]);
const CHARGE_KINDS: ReadonlySet<string> = new Set(["settle", "spend", "overrun"]);

type Found = Awaited<ReturnType<typeof entriesAbout>>;

function allowed(accountId: AccountId, { entries, charged }: Found, sources: Map<string, string>): Receipt {
  const first = entries[0]!;
  const charges = entries.filter((entry) => CHARGE_KINDS.has(entry.kind));
  const paid = charges.length > 0 ? charges : entries.filter((entry) => entry.key !== null);
  const { pricing, policy } = decisionOf(entries);
  return {
    id: first.reference,
    accountId,
    requestId: first.requestId,
    decision: "allow",
    reason: null,
    operation: first.kind,
    amount: first.amount,
    charged,
    feature: first.feature,
    at: first.at,
    by: first.by,
    note: first.note,
    draws: drawsOf(paid).map(([grantId, amount]) => ({
      grantId,
      source: sources.get(grantId) ?? "",
      amount,
    })),
    pricing,
    policy,
    metadata: first.metadata === null ? null : (JSON.parse(first.metadata) as Record<string, unknown>),
    entries,
  };
}

function denied(accountId: AccountId, row: RefusalRow): Receipt {
  const { decision, metadata, ...stoodAgainst } = row.detail;
  const { policy = {}, ...pricing } = (decision ?? {}) as { policy?: Record<string, unknown> };
  return {
    id: row.reference,
    accountId,
    requestId: row.request_id,
    decision: "deny",
    reason: row.code,
    operation: row.operation,
    amount: row.amount,
    charged: 0n,
    feature: row.feature,
    at: row.at,
    by: row.by,
    note: null,
    draws: [],
    pricing: "priceVersion" in pricing ? pricing : null,
    policy: { ...policy, ...stoodAgainst },
    metadata,
    entries: [],
  };
}

/** The last priced step counts: a settlement's real usage rather than the hold's estimate. */
function decisionOf(entries: readonly Entry[]): Pick<Receipt, "pricing" | "policy"> {
  const last = entries.findLast((entry) => entry.decision !== null)?.decision;
  if (last === undefined || last === null) return { pricing: null, policy: {} };
  const { policy = {}, ...pricing } = JSON.parse(last) as { policy?: Record<string, unknown> };
  return { pricing: "priceVersion" in pricing ? pricing : null, policy };
}

/** Adds up what each grant gave over several entries. */
function drawsOf(entries: readonly Entry[]): [grantId: string, amount: MicroCredits][] {
  const sums = new Map<string, MicroCredits>();
  for (const entry of entries) {
    for (const [grantId, amount] of drawsFromText(entry.draws)) {
      sums.set(grantId, (sums.get(grantId) ?? 0n) + amount);
    }
  }
  return [...sums];
}
