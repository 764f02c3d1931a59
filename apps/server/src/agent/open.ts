import { openWebSearch } from "@bursar/agent/web-search";
import type { Gateway } from "@bursar/gateway/gateway";
import type { Upstream } from "@bursar/gateway/settings";
import { countInTurns } from "@bursar/gateway/tokens/tokenizer";
import type { Engine } from "../engine.ts";
import type { Settings } from "../settings.ts";
import { createChatRunner } from "../socket/chat-runner.ts";
import type { AgentRunner } from "../socket/runner.ts";

interface RunnerRequest {
  readonly engine: Engine;
  readonly gateway: Gateway;
  readonly upstreams: readonly Upstream[];
  readonly settings: Pick<Settings, "agentModel" | "webSearchUrl">;
}

/** Who answers prompts: the agent that a prompt names, else a model without tools. */
export function openRunner({ engine, gateway, upstreams, settings }: RunnerRequest): AgentRunner {
  const chat = createChatRunner({ ...engine, gateway });
  let agent: Promise<Pick<AgentRunner, "run">> | null = null;
  // The agent's SDK takes a quarter of a second to load, which no start should wait for.
  const load = async () => {
    const [{ createAgentRunner }, { openModels }] = await Promise.all([
      import("./runner.ts"),
      import("./models.ts"),
    ]);
    return createAgentRunner({
      ...engine,
      models: openModels(upstreams),
      countTokens: countInTurns,
      webSearch: settings.webSearchUrl === null ? null : openWebSearch(settings.webSearchUrl),
      defaultModel: settings.agentModel,
    });
  };
  return {
    modelFor: ({ agent, model }) => model ?? (agent === undefined ? null : settings.agentModel),
    run: async (run, output) => {
      if (run.prompt.agent === undefined) return chat.run(run, output);
      agent ??= load();
      return (await agent).run(run, output);
    },
  };
}
