import type { AccountId } from "@bursar/contract/ids";
import type { Intent } from "@bursar/engine/administration/action";
import { onRecord } from "@bursar/engine/administration/record";
import type { Deps } from "@bursar/engine/deps";
import { message } from "../compat/credit-check/fields.ts";
import type { RecordedRoute, Route, RouteCall } from "../compat/credit-check/route.ts";
import { isProblem } from "../rest/problem.ts";
import { pick } from "./kept.ts";
import { readReason } from "./reason.ts";

/** Names a route for the record, and the fields of its body that are kept. */
export function recordedAs(operation: string, ...names: readonly string[]): RecordedRoute {
  return { operation, kept: (body) => pickShort(body, names) };
}

const LONGEST = 254;

/** Only short values: these bodies are kept before anything about them is checked. */
export function pickShort(body: unknown, names: readonly string[]): Record<string, unknown> {
  const picked = Object.entries(pick(body, names));
  return Object.fromEntries(picked.filter(([, value]) => isShort(value)));
}

function isShort(value: unknown): boolean {
  return typeof value === "string" ? value.length <= LONGEST : typeof value !== "object" || value === null;
}

/** Answers a call of the credit-check API; what staff does to others is put on record, as in REST v1. */
export async function answerOnRecord(
  deps: Pick<Deps, "pool" | "clock" | "log">,
  route: Route,
  call: Omit<RouteCall, "concerns">,
): Promise<Response> {
  let accountId: AccountId | undefined;
  const concerns = (about: AccountId) => {
    accountId = about;
  };
  const work = () => route.handle({ ...call, concerns });
  const { recorded } = route;
  const { person, requestId, body, context } = call;
  if (recorded === undefined || person === null) return work();
  const reason = readReason(context.req.raw.headers, body);
  if (isProblem(reason)) return message(400, reason.message);
  const by = { by: `user:${person.id}`, name: person.email, keyId: null, requestId };
  const intent = intentOf(recorded, call, reason);
  return onRecord(deps, by, [intent], work, ({ ok, status }) => [
    { outcome: ok ? "done" : `status ${status}`, accountId },
  ]);
}

function intentOf(
  { operation, kept }: RecordedRoute,
  { body, context }: Pick<RouteCall, "body" | "context">,
  reason: string | null,
): Intent {
  const named = context.req.param("userId") ?? body["userId"] ?? body["email"] ?? context.req.query("userId");
  const target = typeof named === "string" ? storable(named) : null;
  const why = reason === null ? null : storable(reason);
  return { operation, accountId: null, target, reason: why, fields: kept(body) };
}

const LONGEST_TEXT = 1000;

/** Before anything is checked, so it may be any text. Postgres cannot store NUL. */
function storable(text: string): string {
  return text.replaceAll("\u0000", "").slice(0, LONGEST_TEXT);
}
