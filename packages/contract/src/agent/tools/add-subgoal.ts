import { z } from "zod";
import { defineTool } from "../tool.ts";
import { subgoalId, subgoalStatus, subgoals } from "./subgoal.ts";

export const addSubgoal = defineTool({
  name: "add_subgoal",
  side: "server",
  description: "Note a part of a large task, so that it is not forgotten and the user sees how far it is.",
  input: z.strictObject({
    id: subgoalId,
    objective: z.string().min(1).max(2000),
    status: subgoalStatus.optional().describe("Default not_started"),
  }),
  output: subgoals,
});
