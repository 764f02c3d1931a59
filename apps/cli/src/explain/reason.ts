import type { Receipt } from "@bursar/contract/operations/history";
import { amount } from "../output/amount.ts";

type Facts = (name: string) => string;

/** What stood against it, in words. A code without words of its own is told as it is. */
const REASONS: Readonly<Record<string, (fact: Facts) => string>> = {
  insufficient_credits: (fact) => `${fact("available")} were available, ${fact("missing")} too few`,
  in_debt: (fact) => `the account owed ${fact("owed")}, and nothing new can be used until that is paid`,
  cap_exceeded: (fact) =>
    `the cap of ${fact("cap")} is ${fact("limit")} (${fact("window")}), and ${fact("used")} were used`,
  parent_exhausted: (fact) =>
    `the hold ${fact("parent")}, from which it was to draw, had ${fact("left")} left`,
  account_frozen: () => "the account was frozen",
};

export function reasonOf({ reason, policy }: Receipt): string {
  const fact = (name: string) => {
    const value = policy[name];
    if (typeof value !== "string") return "an unknown amount";
    return /^[\d.]+$/.test(value) ? amount(value) : value;
  };
  const words = REASONS[reason ?? ""];
  return words === undefined ? (reason ?? "of an unknown reason") : `${words(fact)} (${reason})`;
}
