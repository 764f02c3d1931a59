import type { AccountId, GrantId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import { insertAccount } from "../account/store.ts";
import type { Deps } from "../deps.ts";
import { DEFAULT_PRIORITY } from "../ledger/kinds.ts";
import { type ResetDeps, resetIfDue } from "./reset.ts";
import { deleteStarter, insertQuota, insertStarter, type StarterGrant, waitingStarters } from "./store.ts";

/** What somebody new is given. Micro-credits; 0: nothing. */
export interface Welcome {
  /** Once. */
  readonly starter: MicroCredits;
  /** Each month, from the day of the account's creation. */
  readonly monthly: MicroCredits;
}

/** Creates an account with what newcomers are given: whoever finds the account finds its credits on their way, also
 *  after a crash. An account that exists already is left as it is, and given nothing.
 *  Throws: database unreachable. */
export async function createWelcomedAccount(
  deps: ResetDeps,
  account: { readonly id: AccountId; readonly name: string; readonly alertBelow?: MicroCredits },
  welcome: Welcome,
): Promise<void> {
  const now = deps.clock.now();
  const { id: accountId } = account;
  const isNew = await withTransaction(deps.pool, async (client) => {
    if (!(await insertAccount(client, { alertBelow: null, ...account, createdAt: now }))) return false;
    if (welcome.starter > 0n) await insertStarter(client, { accountId, amount: welcome.starter }, now);
    if (welcome.monthly > 0n) {
      const terms = { accountId, anchor: now, credits: welcome.monthly, rollover: null };
      await insertQuota(client, { ...terms, by: "system:welcome" }, now);
    }
    return true;
  });
  if (!isNew) return;
  try {
    if (welcome.starter > 0n) await giveStarter(deps, { accountId, amount: welcome.starter });
    await resetIfDue(deps, accountId);
  } catch (error) {
    deps.log.warn({ err: error, accountId }, "welcome credits are not in the ledger yet; they come later");
  }
}

/** Hands out starter credits that a crash or an outage has held up. Returns how many accounts it took up. */
export async function giveStarters(
  deps: Pick<Deps, "ledger" | "pool" | "log">,
  limit: number,
): Promise<number> {
  const waiting = await waitingStarters(deps.pool, limit);
  await Promise.all(waiting.map((starter) => giveStarter(deps, starter)));
  return waiting.length;
}

async function giveStarter(
  deps: Pick<Deps, "ledger" | "pool" | "log">,
  { accountId, amount }: StarterGrant,
): Promise<void> {
  const outcome = await deps.ledger.submit({
    kind: "grant",
    accountId,
    id: "grant_starter" as GrantId,
    amount,
    source: "trial",
    priority: DEFAULT_PRIORITY.trial,
    expiresAt: null,
    scope: null,
    note: "Welcome",
    by: "system:welcome",
  });
  if (outcome.kind !== "done" && outcome.kind !== "duplicate") {
    deps.log.error({ accountId, refusal: outcome.kind }, "starter credits were refused");
  }
  await deleteStarter(deps.pool, accountId);
}
