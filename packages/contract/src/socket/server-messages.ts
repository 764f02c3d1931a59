import { z } from "zod";
import { agentEvent } from "../agent/events.ts";
import { creditsText, instantText } from "../shapes.ts";
import { socketErrorName } from "./errors.ts";
import { balancePush, entriesPush, holdsPush, noticesPush, paymentsPush } from "./topics.ts";

const userInputId = z.string();

/** What the account has used and has left. Grants by where they came from. */
export const usageFields = {
  usage: creditsText.describe(
    "Used since the present cycle began, or in the last 30 days where there is none",
  ),
  remainingBalance: creditsText,
  balanceBreakdown: z.record(z.string(), creditsText),
  next_quota_reset: instantText.nullable(),
  autoTopupAdded: creditsText.optional().describe("Credits that were bought to let this go on"),
};

const serverActions = [
  z.object({ type: z.literal("init-response"), accountId: z.string(), ...usageFields }),
  z.object({ type: z.literal("response-chunk"), userInputId, chunk: z.string() }),
  z.object({
    type: z.literal("subagent-response-chunk"),
    userInputId,
    agentId: z.string(),
    agent: z.string(),
    chunk: z.string(),
  }),
  /** What an agent does, besides what it says: its words come in chunks. Long texts in it are cut. */
  z.object({ type: z.literal("agent-event"), userInputId, event: agentEvent }),
  z.object({
    type: z.literal("prompt-response"),
    userInputId,
    /** How it ended: by itself, by the client, for want of credits, or at a limit. */
    ended: z.enum(["complete", "cancelled", "insufficient_credits", "limit"]),
    output: z.json(),
    cost: creditsText,
  }),
  z.object({
    type: z.literal("tool-call-request"),
    requestId: z.string(),
    userInputId,
    toolName: z.string(),
    input: z.json(),
    /** Milliseconds until the server stops waiting. */
    timeout: z.int(),
    /** It was asked before, under the same id, by a process that has ended since. Who has done it answers the same
     *  again; who cannot know whether it was done says so, and does not do it. */
    again: z.literal(true).optional(),
  }),
  z.object({
    type: z.literal("read-files"),
    requestId: z.string(),
    userInputId,
    filePaths: z.array(z.string()),
    timeout: z.int(),
  }),
  /** The prompt goes on in another process than before, from its last completed step. What an agent has said since its
   *  last `step-cost` is void, and comes again. `cut`: what the steps that were cut have cost; they are done again. */
  z.object({ type: z.literal("prompt-resumed"), userInputId, cut: creditsText }),
  z.object({ type: z.literal("usage-response"), userInputId: userInputId.optional(), ...usageFields }),
  z.object({
    type: z.literal("message-cost-response"),
    userInputId,
    model: z.string().nullable(),
    cost: creditsText,
    requestId: z.string().nullable().describe("What the receipt is found by"),
    agent: z.string().optional(),
  }),
  z.object({
    type: z.literal("action-error"),
    userInputId: userInputId.optional(),
    error: socketErrorName,
    message: z.string(),
    remainingBalance: creditsText.optional(),
    cost: creditsText.optional().describe("Where the prompt had begun: what it has cost by then"),
  }),
  z.object({
    type: z.literal("prompt-error"),
    userInputId,
    error: socketErrorName,
    message: z.string(),
    cost: creditsText.optional(),
  }),
  /** Connect again: here with this session while prompts still run, else anywhere. */
  z.object({ type: z.literal("request-reconnect"), reason: z.string(), withinMilliseconds: z.int() }),
] as const;

export const serverAction = z.discriminatedUnion("type", serverActions);

export type ServerAction = z.infer<typeof serverAction>;
export type ServerActionType = ServerAction["type"];

/** What an identify is answered with. */
const sessionAnswer = z.object({
  accountId: z.string(),
  /** False: the server knows nothing of this session, or not any more. Prompts of it do not run here. */
  resumed: z.boolean(),
  /** Whose numbers these are: a process that has the session for the first time begins at 1. */
  life: z.string(),
  /** The number of the next message that comes. Above `lastSeq + 1`, what lies between could not be kept. */
  nextSeq: z.int(),
  /** The number of the newest message there is: once it has come, nothing is missing but what is still to happen. */
  lastSeq: z.int(),
  /** Prompts that run. */
  running: z.array(z.string()),
});

export type SessionAnswer = z.infer<typeof sessionAnswer>;

const ack = z.object({
  type: z.literal("ack"),
  /** null where the message was too senseless to have one. */
  txid: z.int().nullable(),
  success: z.boolean(),
  error: socketErrorName.optional(),
  message: z.string().optional(),
  param: z.string().optional(),
  session: sessionAnswer.optional(),
});

export type Ack = z.infer<typeof ack>;

const push = z.discriminatedUnion("topic", [
  z.object({ type: z.literal("push"), topic: z.literal("balance"), data: balancePush }),
  z.object({ type: z.literal("push"), topic: z.literal("holds"), data: holdsPush }),
  z.object({ type: z.literal("push"), topic: z.literal("entries"), data: entriesPush }),
  z.object({ type: z.literal("push"), topic: z.literal("notices"), data: noticesPush }),
  z.object({ type: z.literal("push"), topic: z.literal("payments"), data: paymentsPush }),
]);

export type Push = z.infer<typeof push>;

/** `seq` numbers what belongs to the session, without gaps; what concerns only the socket has none. */
const action = z.object({ type: z.literal("action"), seq: z.int().optional(), data: serverAction });

export const serverMessage = z.union([ack, push, action]);

export type ServerMessage = z.infer<typeof serverMessage>;
