import type { AnswerOf, Operation, QueryInput } from "@bursar/contract/operation";
import { sandbox } from "@bursar/contract/sandbox";
import { v1 } from "@bursar/contract/v1";
import { type CallOptions, type Calls, type Fields, sortArguments } from "./call.ts";
import { type ChatPart, type ChatRequest, heard, readChat } from "./chat.ts";
import { jsonOrNull, unrecognised } from "./errors.ts";
import { everyItem } from "./pages.ts";
import type { Patience } from "./patience.ts";
import { isRepeatable, underAnId } from "./repeat.ts";
import { headersFor, requestFor, type Target, targetOf } from "./request.ts";
import { DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import { type Link, send } from "./send.ts";
import { type WaitOptions, waitUntilReady } from "./wait.ts";

export interface ClientOptions {
  /** The server's address, such as `http://127.0.0.1:3000`. */
  readonly url: string;
  /** An account's API key, or an admin key. */
  readonly key?: string;
  /** The organization whose credits pay: for a person who is a member of it. */
  readonly organization?: string;
  /** Why an administrator does what the calls do, for the record. */
  readonly reason?: string;
  /** The longest silence of the server, per attempt; default 30 s, and 120 s for a chat. */
  readonly timeoutMilliseconds?: number;
  readonly retry?: Partial<RetryPolicy>;
  readonly fetch?: typeof globalThis.fetch;
}

type EntriesQuery = Omit<NonNullable<QueryInput<typeof v1.listEntries>>, "cursor">;
type AccountsQuery = Omit<NonNullable<QueryInput<typeof v1.listAccounts>>, "cursor">;
type InvoicesQuery = Omit<NonNullable<QueryInput<typeof v1.listInvoices>>, "cursor">;
type UsageQuery = Omit<QueryInput<typeof v1.exportUsage>, "format">;
type ExportQuery = NonNullable<QueryInput<typeof v1.exportAccount>>;
type Entry = AnswerOf<typeof v1.listEntries>["entries"][number];
type Invoice = AnswerOf<typeof v1.listInvoices>["invoices"][number];
type Account = AnswerOf<typeof v1.listAccounts>["accounts"][number];

interface DocumentQuery {
  readonly accountId?: string | undefined;
  /** Of several refunds, this one's credit note. */
  readonly refund?: string | undefined;
}

/** A method for each operation of the contract, and what the contract cannot say. */
export interface Client extends Calls {
  readonly url: string;
  /** Streams an answer of `POST /v1/chat/completions`: parts of text, then one `end` with usage and cost. Nothing is
   *  asked before the first `next()`. A chat that may have begun is never asked twice. */
  chat(request: ChatRequest, options?: CallOptions): AsyncGenerator<ChatPart, void, undefined>;
  /** The whole ledger, newest first; `limit` is the size of a page. */
  everyEntry(query?: EntriesQuery, options?: CallOptions): AsyncGenerator<Entry, void, undefined>;
  everyAccount(query?: AccountsQuery, options?: CallOptions): AsyncGenerator<Account, void, undefined>;
  everyInvoice(query?: InvoicesQuery, options?: CallOptions): AsyncGenerator<Invoice, void, undefined>;
  /** `exportUsage` as CSV, in parts as they come. A file that breaks off throws `BursarUnreachable`. */
  usageCsv(query: UsageQuery, options?: CallOptions): AsyncGenerator<string, void, undefined>;
  /** `exportAccount` as the text of its JSON, in parts as they come, however long it is. */
  exportText(query?: ExportQuery, options?: CallOptions): AsyncGenerator<string, void, undefined>;
  /** A payment's receipt, or the credit note of its latest refund, as PDF. */
  paymentDocument(
    id: string,
    kind: "receipt" | "credit-note",
    query?: DocumentQuery,
    options?: CallOptions,
  ): Promise<Uint8Array>;
  /** A subscription's invoice, by its id or its number, or the credit note of its latest refund, as PDF. */
  invoiceDocument(
    id: string,
    kind: "invoice" | "credit-note",
    query?: DocumentQuery,
    options?: CallOptions,
  ): Promise<Uint8Array>;
  /** Resolves as soon as the server serves; rejects with `BursarUnreachable` when it does not in time. */
  waitForReady(options?: WaitOptions): Promise<void>;
}

const DEFAULT_TIMEOUT_MILLISECONDS = 30_000;
const CHAT_TIMEOUT_MILLISECONDS = 120_000;
const LARGEST_PAGE = 1000;

interface Setup {
  readonly target: Target;
  readonly link: Link;
  readonly timeoutMilliseconds: number | undefined;
}

/** The typed way to Bursar's REST v1. Opens no connection by itself and needs no closing.
 *  Every method rejects with `BursarError` when the answer is no, and with `BursarUnreachable` when there is none.
 *  Throws: a url or key that cannot be one. */
export function createClient(options: ClientOptions): Client {
  if (options.key !== undefined && !/^[\x21-\x7e]+$/.test(options.key))
    throw new TypeError("the key must be printable and without spaces: is a line break at its end?");
  const setup: Setup = {
    target: {
      ...targetOf(options.url, options.key),
      organization: options.organization,
      reason: options.reason,
    },
    link: { fetch: options.fetch ?? globalThis.fetch, retry: { ...DEFAULT_RETRY, ...options.retry } },
    timeoutMilliseconds: options.timeoutMilliseconds,
  };
  const calls = callsOf(setup);
  return {
    ...calls,
    url: setup.target.url,
    chat: (request, callOptions) => chat(setup, request, callOptions ?? {}),
    everyEntry: (query, callOptions) =>
      everyItem(
        (cursor) => calls.listEntries({ limit: LARGEST_PAGE, ...query, cursor }, callOptions),
        (page) => page.entries,
      ),
    everyAccount: (query, callOptions) =>
      everyItem(
        (cursor) => calls.listAccounts({ limit: LARGEST_PAGE, ...query, cursor }, callOptions),
        (page) => page.accounts,
      ),
    everyInvoice: (query, callOptions) =>
      everyItem(
        (cursor) => calls.listInvoices({ ...query, cursor }, callOptions),
        (page) => page.invoices,
      ),
    usageCsv: (query, callOptions) =>
      readText(setup, v1.exportUsage, { ...query, format: "csv" }, callOptions ?? {}),
    exportText: (query, callOptions) => readText(setup, v1.exportAccount, query ?? {}, callOptions ?? {}),
    paymentDocument: (id, kind, query, callOptions) =>
      pdfDocument(setup, `payments/${encodeURIComponent(id)}/${kind}.pdf`, query ?? {}, callOptions ?? {}),
    invoiceDocument: (id, kind, query, callOptions) =>
      pdfDocument(setup, `invoices/${encodeURIComponent(id)}/${kind}.pdf`, query ?? {}, callOptions ?? {}),
    waitForReady: (waitOptions) => waitUntilReady(setup.link.fetch, setup.target.url, waitOptions ?? {}),
  };
}

function callsOf(setup: Setup): Calls {
  const calls = Object.entries({ ...v1, ...sandbox }).map(([name, operation]) => [
    name,
    (...given: unknown[]) => call(setup, operation, given),
  ]);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- each method's type is derived from this same table
  return Object.fromEntries(calls) as Calls;
}

async function call(setup: Setup, operation: Operation, given: readonly unknown[]): Promise<unknown> {
  const { pathId, fields: written, options } = sortArguments(operation, given);
  const fields = underAnId(operation, written);
  const target = { ...setup.target, reason: options.reason ?? setup.target.reason };
  const request = requestFor(target, operation, pathId, fields);
  const sending = {
    request,
    timeoutMilliseconds: patienceOf(setup, options, DEFAULT_TIMEOUT_MILLISECONDS),
    signal: options.signal,
    isRepeatable: isRepeatable(operation),
    operationId: idIn(fields),
  };
  const { status, headers, text } = await send(setup.link, sending, takeText);
  const answer = jsonOrNull(text);
  if (typeof answer !== "object" || answer === null) throw unrecognised(status, text, headers, request.url);
  return answer;
}

function idIn(fields: Fields | undefined): string | undefined {
  const id = fields?.["id"];
  return typeof id === "string" ? id : undefined;
}

async function takeText(response: Response, patience: { end(): void }) {
  const text = await response.text();
  patience.end();
  return { status: response.status, headers: response.headers, text };
}

async function* chat(setup: Setup, request: ChatRequest, options: CallOptions) {
  const body = { ...request, stream: true, stream_options: { include_usage: true } };
  const sending = {
    request: {
      method: "POST",
      url: `${setup.target.url}/v1/chat/completions`,
      headers: headersFor(setup.target, true),
      body: JSON.stringify(body),
    },
    timeoutMilliseconds: patienceOf(setup, options, CHAT_TIMEOUT_MILLISECONDS),
    signal: options.signal,
    isRepeatable: false,
    operationId: undefined,
  };
  yield* await send(setup.link, sending, async (response, patience) => readChat(response, patience));
}

async function* readText(setup: Setup, operation: Operation, query: Fields, options: CallOptions) {
  const sending = {
    request: requestFor(setup.target, operation, undefined, query),
    timeoutMilliseconds: patienceOf(setup, options, DEFAULT_TIMEOUT_MILLISECONDS),
    signal: options.signal,
    isRepeatable: true,
    operationId: undefined,
  };
  yield* await send(setup.link, sending, async (response, patience) => textOf(response, patience));
}

async function pdfDocument(
  setup: Setup,
  path: string,
  query: DocumentQuery,
  options: CallOptions,
): Promise<Uint8Array> {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  const url = `${setup.target.url}/v1/${path}${given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`}`;
  const sending = {
    request: { method: "GET", url, headers: headersFor(setup.target, false), body: null },
    timeoutMilliseconds: patienceOf(setup, options, DEFAULT_TIMEOUT_MILLISECONDS),
    signal: options.signal,
    isRepeatable: true,
    operationId: undefined,
  };
  return send(setup.link, sending, async (response, patience) => {
    const bytes = new Uint8Array(await response.arrayBuffer());
    patience.end();
    return bytes;
  });
}

async function* textOf(response: Response, patience: Patience) {
  const decoder = new TextDecoder();
  try {
    for await (const chunk of heard(response, patience)) yield decoder.decode(chunk, { stream: true });
  } finally {
    patience.end();
  }
  yield decoder.decode();
}

function patienceOf(setup: Setup, options: CallOptions, otherwise: number): number {
  return options.timeoutMilliseconds ?? setup.timeoutMilliseconds ?? otherwise;
}
