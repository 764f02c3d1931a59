import { z } from "zod";
import { operation } from "../operation.ts";
import { cursor, id, instantText, listLimit, oneLine } from "../shapes.ts";

const action = z.object({
  id: z.string(),
  at: instantText,
  by: z.string().describe("admin:<key id> or user:<person id>"),
  byName: z.string().nullable().describe("The key's name or the person's e-mail at that time"),
  operation: z.string(),
  accountId: z.string().nullable().describe("Whom it was about; null: no account, or it was never known"),
  target: z.string().nullable().describe("The id that the call named"),
  reason: z.string().nullable(),
  requestId: z.string(),
  fields: z.record(z.string(), z.json()).describe("What was asked, without codes, tokens and passwords"),
  outcome: z
    .string()
    .nullable()
    .describe("done, repeated, or why not; null: under way, or the process died before it could be written"),
  result: z.string().nullable().describe("What came of it: the id of a key, a grant, a batch; a version"),
  endedAt: instantText.nullable(),
});

export const listAdminActions = operation({
  name: "listAdminActions",
  method: "get",
  path: "/v1/admin/actions",
  access: "admin",
  summary: "What administrators have done, by whom and why, the latest first. Nothing of it is ever changed.",
  query: z.strictObject({
    accountId: id.optional(),
    by: id.optional().describe("admin:<key id> or user:<person id>"),
    operation: oneLine(100).optional(),
    limit: listLimit(200, 50),
    cursor: cursor.optional(),
  }),
  status: 200,
  answer: z.object({ actions: z.array(action), nextCursor: z.string().nullable() }),
  errors: [],
});
