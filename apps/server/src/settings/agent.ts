import { z } from "zod";

export interface AgentSettings {
  /** Which model works as the coding agent, where a prompt names none; null: a prompt must. */
  readonly agentModel: string | null;
  /** The SearXNG that agents search the web with; null: they do not. */
  readonly webSearchUrl: string | null;
}

/** A model of the sandbox that follows plain orders, so that the agent can be tried offline. */
const SANDBOX_AGENT_MODEL = "sandbox-coder";

export const agentVariables = {
  BURSAR_AGENT_MODEL: z.string().min(1).max(128).optional(),
  BURSAR_WEB_SEARCH_URL: z
    .url({ protocol: /^https?$/, error: "must be the http:// or https:// URL of a SearXNG" })
    .optional(),
};

interface Given {
  readonly BURSAR_AGENT_MODEL?: string | undefined;
  readonly BURSAR_WEB_SEARCH_URL?: string | undefined;
}

export function agentFrom(given: Given, isSandbox: boolean): AgentSettings {
  return {
    agentModel: given.BURSAR_AGENT_MODEL ?? (isSandbox ? SANDBOX_AGENT_MODEL : null),
    webSearchUrl: given.BURSAR_WEB_SEARCH_URL ?? null,
  };
}
