import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { type MicroCredits, smaller } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { DEFAULT_PRIORITY, type GrantSource } from "../ledger/kinds.ts";

type IssueDeps = Pick<Deps, "ledger" | "log">;

export interface Issue {
  readonly id: GrantId;
  readonly amount: MicroCredits;
  readonly source: GrantSource;
  readonly expiresAt: Instant;
  readonly by: string;
  readonly reference?: string;
}

/** Grants under an id that names what it is for, such as a cycle or a paid invoice. Who asks first says how much and until
 *  when; the same id later does nothing more. Returns what was granted under the id, now or before.
 *  Throws: LedgerUnavailable. */
export async function issueOnce(deps: IssueDeps, accountId: AccountId, grant: Issue): Promise<MicroCredits> {
  if (grant.amount === 0n) return 0n;
  const outcome = await deps.ledger.submit({
    ...grant,
    kind: "grant",
    accountId,
    priority: DEFAULT_PRIORITY[grant.source],
    scope: null,
    // Terms may have changed between two askings; what is asked for has not.
    asked: grant.id,
  });
  if (outcome.kind === "done" || outcome.kind === "duplicate") return outcome.result.amount;
  deps.log.error({ accountId, grantId: grant.id, refusal: outcome.kind }, "recurring credits were refused");
  return 0n;
}

export interface LivingOn {
  readonly grantId: GrantId;
  readonly newId: GrantId;
  /** null: all of it. */
  readonly cap: MicroCredits | null;
  readonly source: GrantSource;
  readonly expiresAt: Instant;
  readonly by: string;
}

/** What a grant past its expiry has left unused comes back under a new id, up to the cap: exactly what the ledger says
 *  expired, once. Returns how much. Throws: LedgerUnavailable. */
export async function liveOn(deps: IssueDeps, accountId: AccountId, old: LivingOn): Promise<MicroCredits> {
  const { grantId, newId, cap, source, expiresAt, by } = old;
  const command = { kind: "expire", accountId, grantId, by } as const;
  const first = await deps.ledger.submit(command);
  // Of several grants that ended at once, only the repetition tells what this one had left.
  const outcome = first.kind === "done" ? await deps.ledger.submit(command) : first;
  if (outcome.kind !== "duplicate") return 0n;
  const { expired } = outcome.result;
  const amount = cap === null ? expired : smaller(expired, cap);
  return issueOnce(deps, accountId, { id: newId, amount, source, expiresAt, by });
}
