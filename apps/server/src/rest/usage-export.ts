import { nextMonthStart } from "@bursar/contract/calendar";
import { csvLine } from "@bursar/contract/csv";
import { parseInstant } from "@bursar/contract/instant";
import type { UsageRecord } from "@bursar/contract/operations/history";
import { credits, iso } from "@bursar/contract/shapes";
import { findAccount } from "@bursar/engine/account/store";
import { usagePages } from "@bursar/engine/usage/export";
import type { UsageRow } from "@bursar/engine/usage/store-export";
import { type Handler, onlyPerson } from "./context.ts";
import { jsonDocument } from "./json-document.ts";
import { mapped } from "./pages.ts";
import { refused } from "./problem.ts";

type Pages = AsyncIterable<readonly UsageRow[]>;

export const exportUsage: Handler<"exportUsage"> = async ({ deps, accountId, query, principal }) => {
  if ((await findAccount(deps.pool, accountId)) === null)
    return refused({ kind: "account_unknown", accountId });
  const { month, format } = query;
  const from = parseInstant(`${month}-01T00:00:00Z`)!;
  const asked = { from, to: nextMonthStart(from), personId: onlyPerson(principal) };
  const pages = await begun(usagePages(deps, accountId, asked));
  const fileName = `usage-${month}.${format}`;
  if (format === "csv") return { stream: csvOf(pages), contentType: "text/csv; charset=utf-8", fileName };
  const stream = jsonDocument({ accountId, month, records: mapped(pages, usageRecordAnswer) });
  return { stream, contentType: "application/json", fileName };
};

/** With the first page at hand, so that a database that is down is a status and no broken file. */
async function begun(pages: AsyncGenerator<readonly UsageRow[], void, undefined>): Promise<Pages> {
  const first = await pages.next();
  return (async function* () {
    if (first.done !== true) yield first.value;
    yield* pages;
  })();
}

/** The columns' order is a promise: new ones come last. */
const COLUMNS: readonly (keyof UsageRecord)[] = [
  "at",
  "reference",
  "model",
  "feature",
  "keyId",
  "inputTokens",
  "cachedInputTokens",
  "outputTokens",
  "amount",
  "priceVersion",
  "memberId",
];

async function* csvOf(pages: Pages): AsyncGenerator<string, void, undefined> {
  yield csvLine(COLUMNS);
  for await (const records of mapped(pages, usageRecordAnswer)) {
    yield records.map((record) => csvLine(COLUMNS.map((column) => record[column]))).join("");
  }
}

export function usageRecordAnswer(found: UsageRow): UsageRecord {
  const { seq: _, ...row } = found;
  return {
    ...row,
    at: iso(row.at)!,
    inputTokens: Number(row.inputTokens),
    cachedInputTokens: Number(row.cachedInputTokens),
    outputTokens: Number(row.outputTokens),
    amount: credits(row.amount),
  };
}
