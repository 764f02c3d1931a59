import type { Instant } from "@bursar/contract/instant";
import { credits, iso } from "@bursar/contract/shapes";
import { timeline } from "@bursar/engine/expiry/timeline";
import type { Estimate } from "@bursar/engine/forecast/decide";
import { forecast } from "@bursar/engine/forecast/forecast";
import type { Handler, Success } from "./context.ts";
import { refused } from "./problem.ts";

export const listExpiries: Handler<"listExpiries"> = async ({ deps, accountId }) => {
  const found = await timeline(deps, accountId);
  if (found === null) return refused({ kind: "account_unknown", accountId });
  const expiries = found.expiries.map(({ amount, at, cumulative, ...grant }) => {
    return { ...grant, amount: credits(amount), at: iso(at)!, cumulative: credits(cumulative) };
  });
  return { answer: { accountId, expiries, lasting: credits(found.lasting) } };
};

export const getForecast: Handler<"getForecast"> = async ({ deps, accountId }) => {
  const found = await forecast(deps, accountId);
  if (found === null) return refused({ kind: "account_unknown", accountId });
  const { available, scoped, estimate, nextExpiry, nextReset } = found;
  return {
    answer: {
      accountId,
      available: credits(available),
      scoped: credits(scoped),
      ...estimateAnswer(estimate, deps.clock.now()),
      nextExpiry: amountAt(nextExpiry),
      nextReset: amountAt(nextReset),
    },
  };
};

const MICROSECONDS_PER_DAY = 86_400_000_000;

function estimateAnswer(
  estimate: Estimate,
  now: Instant,
): Pick<Success<"getForecast">["answer"], "estimate" | "reason"> {
  if (estimate.kind === "unknown") return { estimate: null, reason: estimate.reason };
  const { perDay, basedOnDays, runsOutAt, topUpAt } = estimate;
  const daysLeft =
    runsOutAt === null ? null : Math.floor(Math.max(0, runsOutAt - now) / MICROSECONDS_PER_DAY);
  const instants = { runsOutAt: iso(runsOutAt), topUpAt: iso(topUpAt) };
  return { estimate: { perDay: credits(perDay), basedOnDays, daysLeft, ...instants }, reason: null };
}

function amountAt(found: { readonly at: Instant; readonly amount: bigint } | null) {
  return found === null ? null : { at: iso(found.at)!, amount: credits(found.amount) };
}
