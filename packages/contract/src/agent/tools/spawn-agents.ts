import { z } from "zod";
import { defineTool } from "../tool.ts";

export const spawnAgents = defineTool({
  name: "spawn_agents",
  side: "server",
  description:
    "Give parts of the work to other agents and wait for what they report. The reviewer runs the project's checks on the files that this run has changed, and says what fails and why.",
  input: z.strictObject({
    agents: z
      .array(
        z.strictObject({
          agent: z.string().min(1).max(64).describe("Its name, such as reviewer"),
          prompt: z.string().min(1).max(100_000).describe("Everything it must know"),
        }),
      )
      .min(1)
      .max(8),
  }),
  output: z.object({
    reports: z.array(
      z.object({
        agent: z.string(),
        ending: z.string(),
        text: z.string(),
        output: z.json().nullable(),
        /** Credits, its own agents' included. */
        cost: z.string(),
      }),
    ),
  }),
});
