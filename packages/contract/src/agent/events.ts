import { z } from "zod";
import { creditsText } from "../shapes.ts";
import { toolAnswer } from "./tool.ts";
import { subgoal } from "./tools/subgoal.ts";

/** How a run, or an agent in it, came to its end. */
export const ENDINGS = [
  "done",
  "step_limit",
  "cancelled",
  "insufficient_credits",
  "budget_exhausted",
  "refused",
  "model_failed",
  "failed",
] as const;

export type Ending = (typeof ENDINGS)[number];

const agentId = z.string();
const event = <const Type extends string, Shape extends z.ZodRawShape>(type: Type, shape: Shape) =>
  z.object({ type: z.literal(type), agentId, ...shape });

/** What a run tells while it goes, in order. `agentId` says who speaks; amounts are credits as decimal strings. */
export const agentEvent = z.discriminatedUnion("type", [
  event("agent-started", {
    agent: z.string(),
    model: z.string(),
    parentId: z.string().nullable(),
    prompt: z.string(),
  }),
  event("text", { text: z.string() }),
  event("reasoning", { text: z.string() }),
  event("tool-call", { callId: z.string(), toolName: z.string(), input: z.json() }),
  event("tool-result", { callId: z.string(), toolName: z.string(), answer: toolAnswer }),
  event("subgoals", { subgoals: z.array(subgoal) }),
  event("step-cost", {
    step: z.int(),
    cost: creditsText,
    /** Of the whole run so far. */
    total: creditsText,
    /** What the account has left; null when the ledger has not said it yet. */
    remaining: creditsText.nullable(),
    inputTokens: z.int(),
    outputTokens: z.int(),
  }),
  event("agent-ended", {
    ending: z.enum(ENDINGS),
    /** Why, in a sentence, when it is not `done`. */
    message: z.string().nullable(),
    /** Credits, the agents that it called included. */
    cost: creditsText,
    steps: z.int(),
  }),
]);

export type AgentEvent = z.infer<typeof agentEvent>;
