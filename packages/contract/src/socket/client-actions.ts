import { z } from "zod";
import { id, modelName } from "../shapes.ts";

/** Names a prompt; made by the client, and the key under which it runs once. */
const userInputId = id;

const repositoryUrl = z
  .string()
  .min(1)
  .max(500)
  .describe("A repository whose organization pays, where it has one");

const organizationId = id.describe("The organization that pays");

const init = z.strictObject({ type: z.literal("init") });

export const promptMessage = z.strictObject({
  role: z.enum(["system", "user", "assistant"]),
  content: z.string().max(60_000),
});

const prompt = z.strictObject({
  type: z.literal("prompt"),
  userInputId,
  prompt: z.string({ error: "must be the text of the prompt" }).min(1, "must not be empty").max(60_000),
  /** What was said before, the oldest first. */
  history: z.array(promptMessage).max(1000).optional(),
  model: modelName.optional().describe("Default: the server's"),
  agent: z.string().min(1).max(64).optional().describe("Which agent answers; default: the server's"),
  /** Credits that this prompt may cost at most, as a decimal string. */
  budget: z.string().max(32).optional(),
  maxOutputTokens: z.int().min(1).max(1_000_000).optional(),
  organizationId: organizationId.optional(),
  repositoryUrl: repositoryUrl.optional(),
  /** Sent by a client that asks again for a prompt that it has asked before, because the server it has come to does not
   *  run it: how many agent events it has had of each agent, reasoning not counted. It gets the others. */
  seen: z.record(z.string().max(64), z.int().min(0)).optional(),
});

const cancel = z.strictObject({ type: z.literal("cancel-user-input"), userInputId });

/** An answer larger than a message comes in pieces: JSON text, cut anywhere, numbered from 0, `more` on all but the
 *  last. A piece that is sent again after a reconnect counts once. */
const answer = {
  requestId: id,
  output: z.json().optional(),
  piece: z.string().optional(),
  index: z.int().min(0).optional(),
  more: z.boolean().optional(),
  error: z.string().min(1).max(2000).optional().describe("Why the client could not do it"),
};

function oneOfThem(
  value: {
    output?: unknown;
    piece?: string | undefined;
    index?: number | undefined;
    error?: string | undefined;
  },
  context: z.RefinementCtx,
): void {
  const given = [value.output, value.piece, value.error].filter((each) => each !== undefined).length;
  if (given !== 1)
    context.addIssue({
      code: "custom",
      path: ["output"],
      message: "give exactly one of output, piece and error",
    });
  if ((value.piece === undefined) !== (value.index === undefined))
    context.addIssue({ code: "custom", path: ["index"], message: "goes with a piece: its number, from 0" });
}

const toolCallResponse = z
  .strictObject({ type: z.literal("tool-call-response"), ...answer })
  .superRefine(oneOfThem);

/** `output`: the text of each file by its path, null for one that is not there. */
const readFilesResponse = z
  .strictObject({
    type: z.literal("read-files-response"),
    ...answer,
    output: z.record(z.string().max(4096), z.string().nullable()).optional(),
  })
  .superRefine(oneOfThem);

export const clientAction = z.discriminatedUnion(
  "type",
  [init, prompt, cancel, toolCallResponse, readFilesResponse],
  { error: "must be init, prompt, cancel-user-input, tool-call-response or read-files-response" },
);

export type ClientAction = z.output<typeof clientAction>;
export type ClientActionType = ClientAction["type"];
export type PromptAction = Extract<ClientAction, { type: "prompt" }>;
