import type { Operation } from "@bursar/contract/operation";
import { id } from "@bursar/contract/shapes";
import { z } from "zod";
import { firstIssue } from "./input.ts";
import type { Problem } from "./problem.ts";

const PARAM = "Idempotency-Key";

/** The header or the id in the body; both only when they agree. It stands for that id, so it may be what that may be. */
export function readIdempotencyKey(
  header: string | undefined,
  { body: schema }: Pick<Operation, "body">,
  body: unknown,
): string | undefined | Problem {
  if (header === undefined) return undefined;
  const read = idIn(schema).safeParse(header);
  if (!read.success) return firstIssue(read.error, PARAM);
  const named = (body as { id?: string } | undefined)?.id;
  if (named === undefined || named === header) return header;
  return {
    problem: "invalid_request",
    message: `${PARAM}: must be the id in the body, or left out`,
    param: PARAM,
  };
}

/** What the operation's body says of its id; any id where there is none. */
function idIn(schema: Operation["body"]): z.ZodType {
  const body: unknown = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return body instanceof z.ZodObject ? ((body.shape["id"] as z.ZodType | undefined) ?? id) : id;
}
