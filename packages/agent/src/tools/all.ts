import type { ServerToolName } from "@bursar/contract/agent/tools";
import { addMessage } from "./add-message.ts";
import { addSubgoal } from "./add-subgoal.ts";
import { endTurn } from "./end-turn.ts";
import type { ServerTool } from "./server-tool.ts";
import { setOutput } from "./set-output.ts";
import { spawnAgents } from "./spawn-agents.ts";
import { thinkDeeply } from "./think-deeply.ts";
import { updateSubgoal } from "./update-subgoal.ts";
import { webSearch } from "./web-search.ts";

/** Who carries out what the client does not. */
export const SERVER_TOOLS: { readonly [Name in ServerToolName]: ServerTool<Name> } = {
  spawn_agents: spawnAgents,
  think_deeply: thinkDeeply,
  add_subgoal: addSubgoal,
  update_subgoal: updateSubgoal,
  add_message: addMessage,
  set_output: setOutput,
  web_search: webSearch,
  end_turn: endTurn,
};
