import type { AccountId } from "@bursar/contract/ids";
import { iso } from "@bursar/contract/shapes";
import { type ActionRecord, listActions } from "@bursar/engine/administration/store";
import type { Handler, Success } from "./context.ts";
import { numberFrom } from "./cursor.ts";
import { isProblem } from "./problem.ts";

export const listAdminActions: Handler<"listAdminActions"> = async ({ deps, query }) => {
  const before = numberFrom(query.cursor);
  if (isProblem(before)) return before;
  const { accountId = null, by = null, operation = null, limit } = query;
  const asked = { accountId: accountId as AccountId | null, by, operation, limit, before };
  const found = await listActions(deps.pool, asked);
  const last = found.at(-1);
  const nextCursor = found.length === limit && last !== undefined ? `before:${last.number}` : null;
  return { answer: { actions: found.map(actionAnswer), nextCursor } };
};

function actionAnswer(action: ActionRecord) {
  const { at, endedAt, fields, number: _, ...rest } = action;
  const kept = fields as Success<"listAdminActions">["answer"]["actions"][number]["fields"];
  return { ...rest, fields: kept, at: iso(at)!, endedAt: iso(endedAt) };
}
