import type { AccountId } from "@bursar/contract/ids";
import type { Person, Role } from "@bursar/identity/person";
import type { Context } from "hono";

/** One endpoint of the credit-check API. The list of all routes is what is mounted, and what the access test walks. */
export interface Route {
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** As Hono writes it: `/api/credits/balance/:userId`. */
  readonly path: string;
  /** Who may call: anyone at all, anyone signed in, or these roles alone. */
  readonly access: "public" | "person" | readonly Role[];
  /** What the answer carries besides its message when the database cannot be asked: a check says no. */
  readonly onUnavailable?: object;
  /** For what staff does to others: it is put on record. */
  readonly recorded?: RecordedRoute;
  handle(call: RouteCall): Promise<Response>;
}

export interface RecordedRoute {
  readonly operation: string;
  /** What of a body is kept for good: nothing secret. */
  readonly kept: (body: RouteCall["body"]) => Record<string, unknown>;
}

export interface RouteCall {
  readonly context: Context;
  /** Who calls; null on public routes. A user id in a header or a body never takes its place. */
  readonly person: Person | null;
  /** The JSON body, an empty object where there is none. Broken JSON was answered 400 before. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly requestId: string;
  /** Says whom the call is about, once that is known; for the record. */
  readonly concerns: (accountId: AccountId) => void;
}
