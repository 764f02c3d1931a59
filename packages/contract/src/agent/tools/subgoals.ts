import { z } from "zod";
import { defineTool } from "../tool.ts";

const status = z.enum(["not_started", "in_progress", "completed", "aborted"]);
const subgoalId = z.string().min(1).max(64);

export const subgoal = z.object({
  id: z.string(),
  objective: z.string(),
  status,
  log: z.array(z.string()),
});

export type Subgoal = z.infer<typeof subgoal>;

const subgoals = z.object({ subgoals: z.array(subgoal) });

export const addSubgoal = defineTool({
  name: "add_subgoal",
  side: "server",
  description: "Note a part of a large task, so that it is not forgotten and the user sees how far it is.",
  input: z.strictObject({
    id: subgoalId,
    objective: z.string().min(1).max(2000),
    status: status.optional().describe("Default not_started"),
  }),
  output: subgoals,
});

export const updateSubgoal = defineTool({
  name: "update_subgoal",
  side: "server",
  description: "Say how far a subgoal is.",
  input: z.strictObject({
    id: subgoalId,
    status: status.optional(),
    log: z.string().min(1).max(2000).optional().describe("What was done or found, added to its log"),
  }),
  output: subgoals,
});
