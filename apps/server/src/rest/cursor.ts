import type { Instant } from "@bursar/contract/instant";
import type { Problem } from "./problem.ts";

/** Where a page that is ordered by time and id ended. */
export interface TimeCursor {
  readonly at: Instant;
  readonly id: string;
}

export function formatCursor({ at, id }: TimeCursor): string {
  return `${at}~${id}`;
}

/** null: from the beginning. */
export function readCursor(text: string | undefined): TimeCursor | null | Problem {
  if (text === undefined) return null;
  const match = /^(\d{1,16})~(.{1,180})$/.exec(text);
  if (match !== null) return { at: Number(match[1]) as Instant, id: match[2]! };
  return noCursor;
}

/** Of a page that is ordered by number: below which the next one begins. null: from the newest on. */
export function numberFrom(text: string | undefined): bigint | null | Problem {
  if (text === undefined) return null;
  const match = /^before:(\d{1,18})$/.exec(text);
  return match === null ? noCursor : BigInt(match[1]!);
}

const noCursor: Problem = {
  problem: "invalid_request",
  message: "must be a nextCursor from an earlier answer",
  param: "cursor",
};
