import { ORGANIZATION_HEADER, REASON_HEADER } from "@bursar/contract/headers";
import type { Operation } from "@bursar/contract/operation";
import type { Fields } from "./call.ts";

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
}

/** Where requests go and who asks. */
export interface Target {
  /** Without a slash at the end. */
  readonly url: string;
  readonly key: string | undefined;
  /** Whose credits pay, where it is not the caller's own account. */
  readonly organization?: string | undefined;
  /** Why an administrator does it. */
  readonly reason?: string | undefined;
}

/** Throws: a url that is none, with what would be right. A trailing `/v1`, as OpenAI's clients want it, is dropped. */
export function targetOf(url: string, key: string | undefined): Target {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol)) {
    throw new TypeError(`the url must look like http://127.0.0.1:3000, not ${JSON.stringify(url)}`);
  }
  return { url: url.replace(/\/+$/, "").replace(/\/v1$/, ""), key };
}

export function requestFor(
  target: Target,
  operation: Operation,
  pathId: string | undefined,
  fields: Fields | undefined,
): Request {
  const path = operation.path.replace("{id}", () => pathSegment(operation, pathId));
  const isQuery = operation.query !== undefined;
  const body = isQuery || fields === undefined ? null : JSON.stringify(fields);
  return {
    method: operation.method.toUpperCase(),
    url: `${target.url}${path}${isQuery ? queryText(fields) : ""}`,
    headers: headersFor(target, body !== null),
    body,
  };
}

export function headersFor(target: Target, hasBody: boolean): Record<string, string> {
  return {
    accept: "application/json",
    ...(target.key === undefined ? {} : { authorization: `Bearer ${target.key}` }),
    ...(target.organization === undefined ? {} : { [ORGANIZATION_HEADER]: target.organization }),
    ...(target.reason === undefined
      ? {}
      : { [REASON_HEADER]: encodeURIComponent(target.reason.toWellFormed()) }),
    ...(hasBody ? { "content-type": "application/json" } : {}),
  };
}

/** An empty id would ask another question: `/v1/accounts/` is the list. */
function pathSegment(operation: Operation, id: string | undefined): string {
  if (typeof id === "string" && id !== "") return encodeURIComponent(id);
  throw new TypeError(`${operation.name} needs an id as its first argument`);
}

function queryText(fields: Fields | undefined): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields ?? {})) {
    if (value !== undefined) query.set(name, typeof value === "string" ? value : JSON.stringify(value));
  }
  return query.size === 0 ? "" : `?${query.toString()}`;
}
