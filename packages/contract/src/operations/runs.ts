import { z } from "zod";
import { operation } from "../operation.ts";
import { creditsText, feature, id, instantText, metadata, positiveAmount } from "../shapes.ts";

/** Shorter than other ids: the hold of a run is named after it. */
const runId = id.max(120, "must be at most 120 characters");

const run = z.object({
  id: z.string(),
  holdId: z.string().describe("What the run's holds name as their parentId"),
  state: z.enum(["open", "ended"]),
  endedBy: z.string().nullable().describe("Who ended it; system:sweep: its time was over"),
  budget: creditsText,
  spent: creditsText.describe("Of the budget, by work that is settled"),
  held: creditsText.describe("By work under way"),
  left: creditsText,
  startedAt: instantText,
  expiresAt: instantText.nullable(),
  endedAt: instantText.nullable(),
  children: z.int().describe("Open holds below the run, at any depth"),
});

export const createRun = operation({
  name: "createRun",
  method: "post",
  path: "/v1/runs",
  access: "account",
  summary:
    "Set a budget aside for a run. Its work draws from it and can never hold more, however many agents ask.",
  body: z.strictObject({
    id: runId.optional().describe("Your id for this run; it is the idempotency key"),
    accountId: id.optional(),
    budget: positiveAmount,
    ttlSeconds: z.int().min(1).max(604_800).default(3600).describe("After that the run ends by itself"),
    feature: feature.optional(),
    metadata: metadata.optional(),
  }),
  status: 201,
  answer: run,
  errors: [
    "account_unknown",
    "key_conflict",
    "account_frozen",
    "in_debt",
    "cap_exceeded",
    "insufficient_credits",
    "too_many_holds",
  ],
});

export const listRuns = operation({
  name: "listRuns",
  method: "get",
  path: "/v1/runs",
  access: "account",
  summary: "The account's open runs, the latest first, a hundred at most.",
  query: z.strictObject({ accountId: id.optional() }),
  status: 200,
  answer: z.object({ runs: z.array(run) }),
  errors: ["account_unknown"],
});

const query = z.strictObject({ accountId: id.optional() });

export const getRun = operation({
  name: "getRun",
  method: "get",
  path: "/v1/runs/{id}",
  access: "account",
  summary: "What a run has spent, what it holds and what is left, and its open holds.",
  params: z.object({ id: runId }),
  query,
  status: 200,
  answer: run.extend({
    holds: z
      .array(
        z.object({
          id: z.string(),
          parentId: z.string(),
          amount: creditsText,
          reported: creditsText,
          feature: z.string().nullable(),
          expiresAt: instantText.nullable(),
        }),
      )
      .describe("The latest hundred"),
  }),
  errors: ["run_unknown"],
});

export const endRun = operation({
  name: "endRun",
  method: "delete",
  path: "/v1/runs/{id}",
  access: "account",
  summary: "End a run at once: its open holds close at the cost they reported last, and the rest goes back.",
  params: z.object({ id: runId }),
  query,
  status: 200,
  answer: run,
  errors: ["run_unknown"],
});
