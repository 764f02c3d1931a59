import { z } from "zod";
import { defineTool } from "../tool.ts";

export const webSearch = defineTool({
  name: "web_search",
  side: "server",
  description: "Search the web.",
  input: z.strictObject({ query: z.string().min(1).max(1000) }),
  output: z.object({
    results: z.array(z.object({ title: z.string(), url: z.string(), text: z.string() })),
  }),
});
