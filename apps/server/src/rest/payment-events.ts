import { iso } from "@bursar/contract/shapes";
import { resendEvent as resend } from "@bursar/engine/payment-event/resend";
import { type EventRow, listEvents as list } from "@bursar/engine/payment-event/store";
import type { Handler } from "./context.ts";
import { formatCursor, readCursor } from "./cursor.ts";
import { isProblem } from "./problem.ts";
import { withPayments } from "./with-payments.ts";

export const listEvents: Handler<"listEvents"> = async ({ deps, query }) => {
  const cursor = readCursor(query.cursor);
  if (isProblem(cursor)) return cursor;
  const after = cursor === null ? null : { receivedAt: cursor.at, id: cursor.id };
  const events = await list(deps.pool, { state: query.state ?? null, limit: query.limit, after });
  const last = events.at(-1);
  const nextCursor =
    events.length === query.limit && last !== undefined
      ? formatCursor({ at: last.receivedAt, id: last.id })
      : null;
  return { answer: { events: events.map(eventAnswer), nextCursor } };
};

export const resendEvent: Handler<"resendEvent"> = ({ deps, params }) =>
  withPayments(deps, async (paying) => {
    const event = await resend(paying, params.id);
    if (event !== null) return { answer: eventAnswer(event) };
    const message = `Neither Bursar nor the payment provider knows an event ${params.id}`;
    return { problem: "event_unknown", message, param: "id" };
  });

function eventAnswer({ createdAt, receivedAt, processedAt, ...event }: EventRow) {
  return {
    ...event,
    createdAt: iso(createdAt)!,
    receivedAt: iso(receivedAt)!,
    processedAt: iso(processedAt),
  };
}
