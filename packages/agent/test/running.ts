/** Runs of the agent on a real ledger, a real Postgres, the sandbox model and a folder of this machine. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { createProjectTools, type ProjectToolsOptions } from "@bursar/client/agent/project-tools";
import type { AgentEvent } from "@bursar/contract/agent/events";
import { type AccountId, type GrantId, newAccountId } from "@bursar/contract/ids";
import { credits, type MicroCredits } from "@bursar/contract/money";
import { createTestDatabase } from "@bursar/database/testing";
import { createAccount } from "@bursar/engine/account/create";
import { balance } from "@bursar/engine/balance/balance";
import { grant } from "@bursar/engine/grant/grant";
import { LedgerUnavailable } from "@bursar/engine/ledger/lane";
import { openPrices } from "@bursar/engine/price/prices";
import { openRefusalLog } from "@bursar/engine/receipt/refusal-log";
import { startSandboxModel } from "@bursar/sandbox/model";
import { ledgerOn, silentLog } from "../../engine/test/ledger-on-test-database.ts";
import { findAgent } from "../src/agents/all.ts";
import { openRunBilling, type RunBilling } from "../src/bill/engine-billing.ts";
import type { RunBillingRequest } from "../src/bill/purse.ts";
import type { ModelPatience, WebSearch } from "../src/ports.ts";
import { type RunOutcome, runAgent } from "../src/run-agent.ts";

export const RATES = { inputPerMillion: "150", cachedInputPerMillion: "75", outputPerMillion: "600" };

export interface Ran {
  readonly runId: string;
  readonly outcome: RunOutcome;
  readonly events: readonly AgentEvent[];
}

export interface Run {
  readonly account: AccountId;
  readonly prompt: string;
  readonly folder: string;
  readonly agent?: string;
  readonly model?: string;
  readonly budget?: MicroCredits;
  readonly stepLimit?: number;
  readonly signal?: AbortSignal;
  readonly webSearch?: WebSearch;
  readonly patience?: ModelPatience;
  readonly topUp?: RunBillingRequest["topUp"];
  readonly tools?: Partial<ProjectToolsOptions>;
  readonly onEvent?: (event: AgentEvent) => void;
}

export type Running = Awaited<ReturnType<typeof startRunning>>;

/** `endpoint`: another model than the sandbox's. */
export async function startRunning(endpoint?: {
  readonly url: string;
  readonly apiKey: string;
  readonly model: string;
}) {
  const database = await createTestDatabase();
  const { ledger, pool, clock, close } = ledgerOn(database.url);
  const prices = openPrices({ pool, clock });
  const own = endpoint === undefined ? {} : { [endpoint.model]: RATES };
  // It thinks for 64 tokens, and then there is no room for a word.
  const thinker = { ...RATES, maxOutputTokens: 64 };
  const models = { "sandbox-scripted": RATES, "sandbox-reasoning": thinker, ...own };
  await prices.put({ body: { models }, by: "test" });
  const refusals = openRefusalLog({ pool, log: silentLog });
  const model = await startSandboxModel();
  let outages = 0;
  const submit: typeof ledger.submit = async (command) => {
    if (outages === 0) return ledger.submit(command);
    outages -= 1;
    throw new LedgerUnavailable("broken by the test");
  };
  const countTokens = async (texts: readonly string[]) =>
    texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0);
  const deps = { ledger: { ...ledger, submit }, pool, clock, prices, refusals, log: silentLog, countTokens };
  const provider = createOpenAICompatible({
    name: "test",
    baseURL: endpoint?.url ?? model.url,
    apiKey: endpoint?.apiKey ?? "none",
    includeUsage: true,
  });
  let runs = 0;

  return {
    ...deps,
    model,
    /** The next so many commands find no ledger. */
    breakLedger: (commands: number) => {
      outages = commands;
    },
    account: async (amount: string) => {
      const id = newAccountId();
      await createAccount(deps, { id, name: "test" });
      const facts = { accountId: id, source: "purchase", by: "test" } as const;
      if (amount !== "0")
        await grant(deps, { ...facts, id: `grant_${id}` as GrantId, amount: credits(amount) });
      return id;
    },
    balanceOf: async (id: AccountId) => (await balance(deps, id))!,
    run: async (request: Run): Promise<Ran | { readonly denied: string }> => {
      runs += 1;
      const runId = `run_${runs}`;
      const { account, folder, prompt, budget = null, stepLimit, signal, webSearch, onEvent } = request;
      const payer = { accountId: account, by: "key:test" };
      const opened = await openRunBilling(deps, { runId, payer, budget, topUp: request.topUp });
      if (opened.kind === "denied") return { denied: opened.code };
      const events: AgentEvent[] = [];
      const outcome = await finish(opened.billing, () =>
        runAgent(
          {
            billing: opened.billing,
            webSearch: webSearch ?? null,
            ...(request.patience === undefined ? {} : { patience: request.patience }),
            models: { find: (name) => (name === "nobody's" ? null : provider(name)) },
            client: createProjectTools({
              folder,
              environment: process.env,
              approve: async () => true,
              ...request.tools,
            }),
            emit: (event) => {
              events.push(event);
              onEvent?.(event);
            },
          },
          {
            ...{ runId, prompt },
            agent: findAgent(request.agent ?? "coder")!,
            model: request.model ?? endpoint?.model ?? "sandbox-scripted",
            signal: signal ?? new AbortController().signal,
            ...(stepLimit === undefined ? {} : { stepLimit }),
          },
        ),
      );
      return { runId, outcome, events };
    },
    close: async () => {
      await model.close();
      await close();
      await database.drop();
    },
  };
}

async function finish<Outcome>(billing: RunBilling, work: () => Promise<Outcome>): Promise<Outcome> {
  try {
    return await work();
  } finally {
    await billing.close();
  }
}

/** A run that was not denied at its start. */
export function ran(run: Ran | { readonly denied: string }): Ran {
  if ("denied" in run) throw new Error(`the run was denied: ${run.denied}`);
  return run;
}
