import { REASON_HEADER } from "@bursar/contract/headers";
import { note } from "@bursar/contract/shapes";
import type { Problem } from "../rest/problem.ts";

/** Why an administrator does something: `reason` or `notes` of the body, or for calls that have neither the header
 *  `x-bursar-reason`, percent-encoded. null: nothing was said. Both only when they agree. */
export function readReason(headers: Headers, body: unknown): string | null | Problem {
  const inBody = reasonIn(body);
  const header = headers.get(REASON_HEADER);
  if (header === null) return inBody;
  const text = decoded(header);
  if (text === null) return malformed;
  return inBody === null || inBody === text ? text : twoReasons;
}

/** What a body of either API says. */
export function reasonIn(body: unknown): string | null {
  const { reason, notes } = Object(body) as { reason?: unknown; notes?: unknown };
  const given = reason ?? notes;
  return typeof given === "string" && given.trim() !== "" ? given : null;
}

function decoded(header: string): string | null {
  try {
    return note.safeParse(decodeURIComponent(header).trim()).data ?? null;
  } catch {
    return null;
  }
}

const malformed: Problem = {
  problem: "invalid_request",
  message: `${REASON_HEADER}: must be a text of 1 to 500 characters, percent-encoded (encodeURIComponent)`,
  param: REASON_HEADER,
};

const twoReasons: Problem = {
  problem: "invalid_request",
  message: `${REASON_HEADER}: must be the reason in the body, or left out`,
  param: REASON_HEADER,
};
