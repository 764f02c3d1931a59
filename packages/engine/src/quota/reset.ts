import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Deps } from "../deps.ts";
import { DEFAULT_PRIORITY, type GrantSource } from "../ledger/kinds.ts";
import { cycleGrantId, type DueReset, dueReset, type EndedCycle, rolledOver } from "./decide.ts";
import { findQuota, markReset } from "./store.ts";

export type ResetDeps = Pick<Deps, "ledger" | "pool" | "clock" | "log" | "cycleGrants">;

export type ResetOutcome =
  | { readonly kind: "no_quota" }
  | { readonly kind: "not_due"; readonly nextResetAt: Instant }
  | {
      readonly kind: "reset";
      readonly granted: MicroCredits;
      readonly rolledOver: MicroCredits;
      readonly nextResetAt: Instant;
    };

/** Issues the current cycle's credits if that has not been done: once, whoever asks, however often, in any number of
 *  processes. Cheap while nothing is due: one row is read. Purchased credits are never touched.
 *  Units: micro-credits. Outcomes: no_quota, not_due, reset. Throws: LedgerUnavailable, database unreachable; asking
 *  again goes on where it stopped. Decision: 0016. */
export async function resetIfDue(deps: ResetDeps, accountId: AccountId): Promise<ResetOutcome> {
  const quota = await findQuota(deps.pool, accountId);
  if (quota === null) return { kind: "no_quota" };
  const due = dueReset(quota, deps.clock.now());
  if (due === null) return { kind: "not_due", nextResetAt: quota.nextResetAt };
  const rolled = due.ended === null ? 0n : await rollOver(deps, accountId, due.ended);
  const granted = await issueCycle(deps, accountId, due);
  const nextResetAt = due.cycle.end;
  // Last: whoever dies before it leaves a reset that is due, and repeats the same grants under the same ids.
  await markReset(deps.pool, quota, { cycle: due.cycle.index, nextResetAt });
  return { kind: "reset", granted, rolledOver: rolled, nextResetAt };
}

async function issueCycle(deps: ResetDeps, accountId: AccountId, due: DueReset): Promise<MicroCredits> {
  const { cycle, grantId, amount } = due;
  const own = await issue(deps, accountId, { id: grantId, amount, source: "free", expiresAt: cycle.end });
  for (const askGrants of deps.cycleGrants ?? []) {
    for (const { name, ...extra } of await askGrants(accountId, cycle)) {
      await issue(deps, accountId, {
        ...extra,
        id: cycleGrantId(name, cycle.start),
        expiresAt: cycle.end,
      });
    }
  }
  return own;
}

/** What the ended cycle left unused expires, and up to the cap comes back as a grant of its own. */
async function rollOver(deps: ResetDeps, accountId: AccountId, ended: EndedCycle): Promise<MicroCredits> {
  const command = { kind: "expire", accountId, grantId: ended.grantId, by: "system:quota" } as const;
  const first = await deps.ledger.submit(command);
  // Of several grants that ended at once, only the repetition tells what this one had left.
  const outcome = first.kind === "done" ? await deps.ledger.submit(command) : first;
  if (outcome.kind !== "duplicate") return 0n;
  const amount = rolledOver(ended, outcome.result.expired);
  const { rolloverId: id, expiresAt } = ended;
  return issue(deps, accountId, { id, amount, source: "free", expiresAt });
}

interface Issue {
  readonly id: GrantId;
  readonly amount: MicroCredits;
  readonly source: GrantSource;
  readonly expiresAt: Instant;
}

/** Returns what was granted under this id, now or before. */
async function issue(deps: ResetDeps, accountId: AccountId, grant: Issue): Promise<MicroCredits> {
  if (grant.amount === 0n) return 0n;
  const outcome = await deps.ledger.submit({
    ...grant,
    kind: "grant",
    accountId,
    priority: DEFAULT_PRIORITY[grant.source],
    scope: null,
    by: "system:quota",
    // The first reset of a cycle says how much: terms that changed since then count from the next one.
    asked: grant.id,
  });
  if (outcome.kind === "done" || outcome.kind === "duplicate") return outcome.result.amount;
  deps.log.error({ accountId, grantId: grant.id, refusal: outcome.kind }, "a cycle's credits were refused");
  return 0n;
}
