/** The gateway on a real ledger, a real Postgres and the sandbox model, behind a real HTTP server. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type AccountId, type GrantId, newAccountId, newRequestId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { createTestDatabase } from "@bursar/database/testing";
import { createAccount } from "@bursar/engine/account/create";
import { balance } from "@bursar/engine/balance/balance";
import { grant } from "@bursar/engine/grant/grant";
import type { Cap } from "@bursar/engine/ledger/command";
import { LedgerUnavailable } from "@bursar/engine/ledger/lane";
import { sweep } from "@bursar/engine/ledger/sweep";
import { openPrices } from "@bursar/engine/price/prices";
import { openRefusalLog } from "@bursar/engine/receipt/refusal-log";
import type { TopUps } from "@bursar/engine/topup/cover";
import { startSandboxModel } from "@bursar/sandbox/model";
import { getRequestListener } from "@hono/node-server";
import OpenAI from "openai";
import { ledgerOn, silentLog } from "../../engine/test/ledger-on-test-database.ts";
import { createGateway, type Gateway } from "../src/gateway.ts";
import type { GatewaySettings, UpstreamTimeouts } from "../src/settings.ts";

export type Metered = Awaited<ReturnType<typeof startMetered>>;

const PRICES = {
  models: {
    "sandbox-small": { inputPerMillion: "150", cachedInputPerMillion: "75", outputPerMillion: "600" },
    "sandbox-large": { inputPerMillion: "2500", outputPerMillion: "10000", maxOutputTokens: 32_768 },
    "sandbox-reasoning": { inputPerMillion: "150", outputPerMillion: "600" },
    "sandbox-embedding": { inputPerMillion: "20", outputPerMillion: "0" },
    "sandbox-coder": { inputPerMillion: "0", outputPerMillion: "0" },
    "nobody-serves-this": { inputPerMillion: "1", outputPerMillion: "1" },
  },
};

export async function startMetered(
  settings: Partial<GatewaySettings> = {},
  timeouts: Partial<UpstreamTimeouts> = {},
) {
  const database = await createTestDatabase();
  const { ledger, pool, clock, close } = ledgerOn(database.url);
  const prices = openPrices({ pool, clock });
  await prices.put({ body: PRICES, by: "test" });
  const refusals = openRefusalLog({ pool, log: silentLog });
  const model = await startSandboxModel();
  let isBroken = false;
  let losesAnswers = false;
  const submit: typeof ledger.submit = async (command) => {
    if (isBroken) throw new LedgerUnavailable("broken by the test");
    const outcome = await ledger.submit(command);
    if (losesAnswers) throw new LedgerUnavailable("done, but its answer was lost by the test");
    return outcome;
  };
  const engine = { ledger: { ...ledger, submit }, pool, clock, prices, refusals, log: silentLog };
  const makeGateway = (other: Partial<GatewaySettings> = {}, url = model.url, topUps?: TopUps) =>
    createGateway({
      engine: { ...engine, topUps },
      settings: { ...settings, ...other },
      upstreams: [{ name: "box", url, models: ["sandbox-*"], timeouts, allow: ["web_search_options"] }],
    });
  const gateway = makeGateway();
  const server = await serve(gateway);
  const others: Awaited<ReturnType<typeof serve>>[] = [];
  const deps = { pool, clock, ledger, prices, refusals };

  return {
    ...deps,
    model,
    gateway,
    makeGateway,
    breakLedger: (broken: boolean) => {
      isBroken = broken;
    },
    loseAnswers: (loses: boolean) => {
      losesAnswers = loses;
    },
    /** An OpenAI client of an account, through another gateway. */
    clientOf: async (id: AccountId, other: Gateway) => {
      const otherServer = await serve(other);
      others.push(otherServer);
      return new OpenAI({ baseURL: otherServer.url, apiKey: id, maxRetries: 0 });
    },
    baseURL: server.url,
    sweep: () => sweep(engine),
    advance: (seconds: number) => clock.set((clock.now() + seconds * 1_000_000) as Instant),
    /** An account with so many credits, and an OpenAI client that spends them. */
    account: async (amount: string, caps: readonly Cap[] = []) => {
      const id = newAccountId();
      await createAccount(deps, { id, name: "test" });
      if (amount !== "0") {
        const facts = { accountId: id, source: "purchase", by: "test" } as const;
        await grant(deps, { ...facts, id: `grant_${id}` as GrantId, amount: credits(amount) });
      }
      server.caps.set(id, caps);
      const client = new OpenAI({ baseURL: server.url, apiKey: id, maxRetries: 0 });
      return { id, client, balance: async () => (await balance(deps, id))! };
    },
    close: async () => {
      await gateway.close();
      await Promise.all([server, ...others].map((open) => open.close()));
      await model.close();
      await close();
      await database.drop();
    },
  };
}

/** As apps/server mounts it, with the account's id for a key. */
export async function serve(gateway: Gateway) {
  const caps = new Map<string, readonly Cap[]>();
  const handle = async (request: Request): Promise<Response> => {
    const accountId = (request.headers.get("authorization") ?? "").slice("Bearer ".length) as AccountId;
    const principal = { accountId, keyId: null, by: "key:test", caps: caps.get(accountId) ?? [] };
    const call = { body: await request.json(), signal: request.signal, principal, requestId: newRequestId() };
    const path = new URL(request.url).pathname;
    try {
      if (path.endsWith("/chat/completions")) return await gateway.chatCompletions(call);
      if (path.endsWith("/embeddings")) return await gateway.embeddings(call);
      return await gateway.completions(call);
    } catch (error) {
      if (error instanceof LedgerUnavailable)
        return Response.json({ error: { message: "no" } }, { status: 503 });
      throw error;
    }
  };
  const server: Server = createServer(
    (request, response) => void getRequestListener(handle)(request, response),
  );
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    caps,
    url: `http://127.0.0.1:${port}/v1`,
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

/** Resolves as soon as it holds; the state asked for is another process's to reach. */
export async function until(holds: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error("waited 30 seconds in vain");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
