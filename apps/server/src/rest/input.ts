import type { z } from "zod";
import type { Problem } from "./problem.ts";

/** The first thing that is wrong, by the name of its field and what would be right. */
export function firstIssue(error: z.ZodError, prefix = ""): Problem {
  const issue = deepest(error.issues[0]!);
  const keys = issue.code === "unrecognized_keys" ? [...issue.path, issue.keys[0]!] : issue.path;
  if (keys.length === 0 && issue.code === "invalid_type" && prefix === "") {
    return { problem: "invalid_request", message: "The body must be a JSON object" };
  }
  const path = [...(prefix === "" ? [] : [prefix]), ...keys.map(String)].join(".");
  const message = issue.code === "unrecognized_keys" ? "is not a field of this request" : issue.message;
  return {
    problem: "invalid_request",
    message: path === "" ? message : `${path}: ${message}`,
    param: path || null,
  };
}

/** Names the first of a path's or query's texts that Postgres could not store; null: it could store them all. For paths
 *  that no operation's schema reads: those take no such text. */
export function nulIn(texts: Readonly<Record<string, string>>): Problem | null {
  const param = Object.keys(texts).find((name) => texts[name]!.includes("\u0000"));
  return param === undefined
    ? null
    : { problem: "invalid_request", message: `${param}: must not contain NUL`, param };
}

type Issue = z.core.$ZodIssue;

/** Of a choice that failed in all its forms, the first form's first issue tells the most. */
function deepest(issue: Issue): Issue {
  const first = issue.code === "invalid_union" ? issue.errors[0]?.[0] : undefined;
  return first === undefined ? issue : deepest({ ...first, path: [...issue.path, ...first.path] });
}

export type BodyOutcome = { readonly kind: "read"; readonly value: unknown } | Problem;

/** Reads a JSON body of at most `limitBytes`; an empty body is `undefined`. */
export async function readJson(request: Request, limitBytes: number): Promise<BodyOutcome> {
  const text = await readText(request, limitBytes).catch(() => undefined);
  if (text === undefined) return brokenOff;
  if (text === null) return tooLarge(limitBytes);
  if (text === "") return { kind: "read", value: undefined };
  try {
    const value: unknown = JSON.parse(text);
    return isTooDeep(value) ? tooDeep : { kind: "read", value };
  } catch (error) {
    return { problem: "invalid_json", message: `The body is not JSON: ${(error as Error).message}` };
  }
}

/** Nobody hears it, and it is no failure of ours. */
const brokenOff: Problem = { problem: "invalid_json", message: "The body broke off" };

/** Far more than anything here needs, and far less than what recursion can bear. */
const DEPTH_LIMIT = 100;

const tooDeep: Problem = {
  problem: "invalid_json",
  message: `The body must not be nested deeper than ${DEPTH_LIMIT} levels`,
};

/** Whoever walks it after this may recurse. */
function isTooDeep(value: unknown, depth = 0): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (depth === DEPTH_LIMIT) return true;
  // A list of numbers may be a million long: nothing is made for it.
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.values(value);
  for (const part of parts)
    if (typeof part === "object" && part !== null && isTooDeep(part, depth + 1)) return true;
  return false;
}

/** The body word for word; null where it is longer, of which no more is read. */
export async function readText(request: Request, limitBytes: number): Promise<string | null> {
  if (Number(request.headers.get("content-length") ?? 0) > limitBytes) return null;
  return request.headers.has("content-length") ? request.text() : readUpTo(request, limitBytes);
}

function tooLarge(limitBytes: number): Problem {
  return { problem: "body_too_large", message: `The body must be at most ${limitBytes} bytes` };
}

/** For bodies that do not say their length: stops reading where the limit is crossed. */
async function readUpTo(request: Request, limitBytes: number): Promise<string | null> {
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body) {
    size += chunk.byteLength;
    if (size > limitBytes) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
