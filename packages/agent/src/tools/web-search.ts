import { toolFailure } from "@bursar/contract/agent/tool";
import type { ServerTool } from "./server-tool.ts";

export const webSearch: ServerTool<"web_search"> = async (run, _task, { query }) => {
  const search = run.deps.webSearch;
  if (search === null) return toolFailure("unavailable", "No web search is configured");
  return { ok: true, output: { results: await search(query, run.signal) } };
};
