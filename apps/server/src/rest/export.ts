import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { AnswerOf } from "@bursar/contract/operation";
import { credits, iso } from "@bursar/contract/shapes";
import type { OperationName, v1 } from "@bursar/contract/v1";
import { grantsAfter } from "@bursar/engine/grant/store-list";
import type { Entry } from "@bursar/engine/ledger/entry";
import { entriesBefore } from "@bursar/engine/ledger/store-read";
import { listOrganizations } from "@bursar/engine/organization/store";
import { requestsOf } from "@bursar/engine/organization/store-requests";
import { refusalsAfter } from "@bursar/engine/receipt/store";
import { subscriptionsOf } from "@bursar/engine/subscription/store";
import { policyVersions } from "@bursar/engine/topup/store-policies";
import { usagePages } from "@bursar/engine/usage/export";
import { findOwnedAccount } from "@bursar/identity/people/store-accounts";
import { readPersonFacts } from "@bursar/identity/people/store-facts";
import {
  type ChatMessage,
  type ChatSession,
  messagesAfter,
  sessionsAfter,
} from "../compat/credit-check/chat/store.ts";
import { accountAnswer } from "./accounts.ts";
import { getBalance } from "./balance.ts";
import type { Call, Handler, RestDeps, Success } from "./context.ts";
import { entryAnswer } from "./history.ts";
import { jsonDocument } from "./json-document.ts";
import { listKeys } from "./keys.ts";
import { listNotices } from "./notices.ts";
import { requestAnswer } from "./organization-work.ts";
import { organizationAnswer } from "./organizations.ts";
import { following, listed, mapped } from "./pages.ts";
import { listPaymentMethods } from "./payment-methods.ts";
import { listPayments } from "./payments.ts";
import { isProblem, type Problem, refused } from "./problem.ts";
import { getQuota } from "./quota.ts";
import { getReferrals } from "./referrals.ts";
import type { Streamed } from "./streamed.ts";
import { listInvoices, subscriptionAnswer } from "./subscriptions.ts";
import { getTopUpPolicy, listTopUpAttempts } from "./topup.ts";
import { usageRecordAnswer } from "./usage-export.ts";

type Export = AnswerOf<typeof v1.exportAccount>;

/** What is short is read before the answer begins, so that its trouble is a status; what may be long, while it is sent. */
type Short = Omit<Export, keyof Long>;
type Long = {
  readonly [Name in Exclude<LongName, "chats">]: AsyncIterable<Export[Name]>;
} & { readonly chats: AsyncIterable<Chat[]> };
type Messages = Export["chats"][number]["messages"];
/** A chat may be as long as everything else together. */
type Chat = Omit<Export["chats"][number], "messages"> & { readonly messages: AsyncIterable<Messages> };
type LongName =
  | "grants"
  | "entries"
  | "usage"
  | "refusals"
  | "payments"
  | "invoices"
  | "topUpAttempts"
  | "notices"
  | "chats";

type ExportCall = Call<"exportAccount">;

/** Everything at once is not what a program needs that spends credits, and says who is behind them. */
export const exportAccount: Handler<"exportAccount"> = async (call) => {
  if (call.principal.person === undefined && call.principal.kind !== "admin") return PERSON_REQUIRED;
  const short = await shortParts(call);
  if (isProblem(short)) return short;
  const stream = jsonDocument({ ...short, ...longParts(call) });
  return { stream, contentType: "application/json", fileName: "bursar-export.json" };
};

const PERSON_REQUIRED: Problem = {
  problem: "person_required",
  message: "Sign in as the person whose account it is, or use an admin key: an API key exports nothing",
};

async function shortParts(call: ExportCall): Promise<Short | Problem> {
  const { deps, accountId } = call;
  const owned = await findOwnedAccount(deps.pool, accountId);
  if (owned === null) return refused({ kind: "account_unknown", accountId });
  const methods = await listPaymentMethods(asking(call, {}));
  if (isProblem(methods) && methods.problem !== "payments_off") return methods;
  const personId = owned.owner?.kind === "person" ? owned.owner.id : null;
  return {
    exportedAt: iso(deps.clock.now())!,
    account: accountAnswer(owned),
    person: personId === null ? null : await personAnswer(deps, personId),
    balance: answerIn(await getBalance(asking(call, {}))),
    quota: answerIn(await getQuota(asking(call, {}))).quota,
    subscriptions: await subscriptions(deps, accountId),
    topUpPolicy: answerIn(await getTopUpPolicy(asking(call, {}))),
    topUpPolicyChanges: (await policyVersions(deps.pool, accountId)).map(({ at, ...change }) => ({
      ...change,
      at: iso(at)!,
    })),
    referrals: answerIn(await getReferrals(asking(call, {}))),
    paymentMethods: isProblem(methods) ? [] : answerIn(methods).paymentMethods,
    keys: answerIn(await listKeys(asking(call, { accountId }))).keys,
    ...(await membership(deps, personId)),
  };
}

async function personAnswer({ pool }: Pick<RestDeps, "pool">, id: string): Promise<Export["person"]> {
  const facts = await readPersonFacts(pool, id);
  if (facts === null) return null;
  const { createdAt, logins, sessions, ...person } = facts;
  return {
    ...person,
    createdAt: iso(createdAt)!,
    logins: logins.map((login) => ({ ...login, createdAt: iso(login.createdAt)! })),
    sessions: sessions.map((session) => ({
      ...session,
      createdAt: iso(session.createdAt)!,
      expiresAt: iso(session.expiresAt)!,
    })),
  };
}

async function subscriptions(deps: RestDeps, accountId: AccountId): Promise<Export["subscriptions"]> {
  const found = await subscriptionsOf(deps.pool, accountId);
  return Promise.all(found.map((subscription) => subscriptionAnswer(deps, subscription)));
}

async function membership(
  { pool }: Pick<RestDeps, "pool">,
  personId: string | null,
): Promise<Pick<Export, "organizations" | "creditRequests">> {
  if (personId === null) return { organizations: [], creditRequests: [] };
  const organizations = await listOrganizations(pool, { personId, isAll: false });
  const requests = await requestsOf(pool, personId);
  return {
    organizations: organizations.map(organizationAnswer),
    creditRequests: requests.map((request) => {
      return { ...requestAnswer(request), organizationId: request.organizationId };
    }),
  };
}

const PAGE = 200;
const [BEGINNING, END] = [0, Number.MAX_SAFE_INTEGER] as Instant[] as [Instant, Instant];

function longParts(call: ExportCall): Long {
  const { deps, accountId } = call;
  const { pool } = deps;
  const everyCharge = { from: BEGINNING, to: END, personId: null };
  const page = { limit: PAGE };
  return {
    grants: mapped(
      following((last: GrantRow | null) => grantsAfter(pool, accountId, { ...page, after: last?.id ?? "" })),
      grantAnswer,
    ),
    entries: mapped(
      following((last: Entry | null) => entriesBefore(pool, accountId, last?.seq ?? null, PAGE)),
      exportedEntry,
    ),
    usage: mapped(usagePages(deps, accountId, everyCharge), usageRecordAnswer),
    refusals: mapped(
      following((last: RefusalRow | null) =>
        refusalsAfter(pool, accountId, { ...page, after: last?.id ?? "" }),
      ),
      refusalAnswer,
    ),
    payments: listed(
      async (cursor) => answerIn(await listPayments(asking(call, { ...page, cursor }))),
      ({ payments }) => payments,
    ),
    invoices: listed(
      async (cursor) => answerIn(await listInvoices(asking(call, { ...page, cursor }))),
      ({ invoices }) => invoices,
    ),
    topUpAttempts: listed(
      async (cursor) => answerIn(await listTopUpAttempts(asking(call, { ...page, cursor }))),
      ({ attempts }) => attempts,
    ),
    notices: listed(
      async (cursor) => answerIn(await listNotices(asking(call, { ...page, cursor, state: "all" }))),
      ({ notices }) => notices,
    ),
    chats: mapped(
      following((last: ChatSession | null) =>
        sessionsAfter(pool, accountId, { ...page, after: last?.sessionId ?? "" }),
      ),
      (session) => chatAnswer(deps, session),
    ),
  };
}

function exportedEntry(entry: Entry): Export["entries"][number] {
  const { requestId, metadata } = entry;
  return { ...entryAnswer(entry), requestId, metadata: metadata === null ? null : JSON.parse(metadata) };
}

/** Of messages, each of which may be long. */
const MESSAGES_PAGE = 20;

function chatAnswer({ pool }: Pick<RestDeps, "pool">, session: ChatSession): Chat {
  const { sessionId, title, modelId } = session;
  const page = { limit: MESSAGES_PAGE };
  return {
    id: sessionId,
    title,
    modelId,
    createdAt: iso(session.createdAt)!,
    updatedAt: iso(session.updatedAt)!,
    messages: mapped(
      following((last: PlacedMessage | null) =>
        messagesAfter(pool, session, { ...page, after: last?.position ?? 0 }),
      ),
      chatMessageAnswer,
    ),
  };
}

function chatMessageAnswer(message: ChatMessage): Messages[number] {
  const { messageId, role, content, status, modelId } = message;
  return {
    ...{ id: messageId, role, content, status, modelId },
    credits: message.credits === null ? null : credits(message.credits),
    createdAt: iso(message.createdAt)!,
  };
}

type GrantRow = Awaited<ReturnType<typeof grantsAfter>>[number];
type RefusalRow = Awaited<ReturnType<typeof refusalsAfter>>[number];
type PlacedMessage = Awaited<ReturnType<typeof messagesAfter>>[number];

function grantAnswer({
  granted,
  expiresAt,
  allocatedAt,
  scope,
  ...rest
}: GrantRow): Export["grants"][number] {
  return {
    ...rest,
    granted: credits(granted),
    scope: scope === null ? null : [...scope],
    expiresAt: iso(expiresAt),
    allocatedAt: iso(allocatedAt)!,
  };
}

function refusalAnswer(row: RefusalRow): Export["refusals"][number] {
  const { id, reference, request_id: requestId, operation, code, amount, feature, detail, at, by } = row;
  return {
    ...{ id, reference, requestId, operation, code, feature, by },
    amount: amount === null ? null : credits(amount),
    metadata: detail.metadata as Export["refusals"][number]["metadata"],
    at: iso(at)!,
  };
}

/** The same caller's call of an operation that takes nothing but a query. */
function asking<Query>(call: ExportCall, query: Query) {
  return { ...call, query, params: undefined, body: undefined };
}

/** An operation that this account's export relies on has an answer: the account was there a moment ago. */
function answerIn<Name extends OperationName>(
  outcome: Success<Name> | Streamed | Problem,
): Success<Name>["answer"] {
  if ("answer" in outcome) return outcome.answer;
  throw new Error(`a part of an export was not read: ${JSON.stringify(outcome)}`);
}
