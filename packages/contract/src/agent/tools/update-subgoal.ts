import { z } from "zod";
import { defineTool } from "../tool.ts";
import { subgoalId, subgoalStatus, subgoals } from "./subgoal.ts";

export const updateSubgoal = defineTool({
  name: "update_subgoal",
  side: "server",
  description: "Say how far a subgoal is.",
  input: z.strictObject({
    id: subgoalId,
    status: subgoalStatus.optional(),
    log: z.string().min(1).max(2000).optional().describe("What was done or found, added to its log"),
  }),
  output: subgoals,
});
