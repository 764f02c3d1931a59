import { z } from "zod";

/** How far a part of a task is. */
export const subgoalStatus = z.enum(["not_started", "in_progress", "completed", "aborted"]);

export const subgoalId = z.string().min(1).max(64);

export const subgoal = z.object({
  id: z.string(),
  objective: z.string(),
  status: subgoalStatus,
  log: z.array(z.string()),
});

export type Subgoal = z.infer<typeof subgoal>;

/** All of a run, as they stand after the call. */
export const subgoals = z.object({ subgoals: z.array(subgoal) });
