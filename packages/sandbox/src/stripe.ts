import { createServer, type ServerResponse } from "node:http";
import { hostInUrl, listenOn } from "./listen.ts";
import { followInvoice } from "./stripe/billing/collect.ts";
import { settleBilling } from "./stripe/billing/renew.ts";
import { followSession } from "./stripe/checkout/follow.ts";
import { expireSessions } from "./stripe/checkout/session.ts";
import { type Actions, createActions } from "./stripe/control/actions.ts";
import { serveSandbox } from "./stripe/control/serve.ts";
import { settleDisputes } from "./stripe/dispute/due.ts";
import { createDeliverer } from "./stripe/event/deliver.ts";
import { createFaults, type Faults } from "./stripe/fault/faults.ts";
import { forgetOld } from "./stripe/forget.ts";
import { randomLetters } from "./stripe/ids.ts";
import { settleOutcomes } from "./stripe/intent/later.ts";
import { createKeeper, type Kept, readKept } from "./stripe/keep.ts";
import { settleRefunds } from "./stripe/refund/refund.ts";
import { emptyState } from "./stripe/state.ts";
import { serveApi } from "./stripe/wire/serve.ts";
import type { World } from "./stripe/world.ts";

export interface SandboxStripeOptions {
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The moving clock, in milliseconds. */
  readonly now: () => number;
  /** The key that every request needs; left out, the one of the last start, else a new one. */
  readonly secretKey?: string;
  /** Signs what goes to the endpoints that `register` adds; left out, the one of the last start, else a new one. */
  readonly webhookSecret?: string;
  /** Where everything is kept from start to start. Left out, it is in memory only. */
  readonly dataFile?: string;
}

export interface SandboxStripe extends Actions {
  /** `http://127.0.0.1:40127`; the API is at `/v1` below it. */
  readonly url: string;
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly faults: Faults;
  /** Does what became due by the moving clock, and delivers what is on its way. Returns how much that was. */
  readonly tick: () => Promise<number>;
  /** Ends every connection and resolves when the port is free. */
  close(): Promise<void>;
}

/** Longer than clients keep idle connections, so that none is closed under their next request. */
const KEEP_ALIVE_MILLISECONDS = 65_000;

/** Starts a Stripe that needs none: stateful, over real HTTP, for the official SDK. Webhooks go out at once, and again by `tick`.
 *  Throws: the port is taken; the data file is none of its. */
export async function startSandboxStripe(options: SandboxStripeOptions): Promise<SandboxStripe> {
  const { host = "127.0.0.1", port = 0, now } = options;
  const kept = await keptOrNew(options);
  const { secretKey, webhookSecret } = kept;
  const world = createWorld(kept, now, options.dataFile);
  const deliverer = createDeliverer(world);
  const actions = createActions(world, deliverer, webhookSecret);
  const tick = async () => {
    const done = settle(world) + (await deliverer.drain());
    forgetOld(world);
    if (done > 0) await world.keep();
    return done;
  };
  const underWay = new Set<string>();
  const server = createServer(
    { keepAliveTimeout: KEEP_ALIVE_MILLISECONDS, noDelay: true },
    (request, response) => {
      const served = request.url?.startsWith("/sandbox/")
        ? serveSandbox(world, actions, tick, request, response)
        : serveApi(world, underWay, request, response);
      void served.catch((error: unknown) => fail(response, error)).finally(deliverer.wake);
    },
  );
  world.url = `http://${hostInUrl(host)}:${await listenOn(server, host, port)}`;
  return {
    ...actions,
    url: world.url,
    secretKey,
    webhookSecret,
    faults: world.faults,
    tick,
    close: async () => {
      await deliverer.close();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
      await world.keep();
    },
  };
}

/** What comes by itself when its time has come. Returns how much there was. */
function settle(world: World): number {
  return (
    settleOutcomes(world) +
    settleRefunds(world) +
    settleDisputes(world) +
    expireSessions(world) +
    settleBilling(world)
  );
}

async function keptOrNew({ dataFile, secretKey, webhookSecret }: SandboxStripeOptions): Promise<Kept> {
  const before = dataFile === undefined ? null : await readKept(dataFile);
  return {
    secretKey: secretKey ?? before?.secretKey ?? `sk_test_${randomLetters(32)}`,
    webhookSecret: webhookSecret ?? before?.webhookSecret ?? `whsec_${randomLetters(32)}`,
    state: before?.state ?? emptyState(),
  };
}

function createWorld(kept: Kept, now: () => number, dataFile: string | undefined): World {
  const { state, secretKey, webhookSecret } = kept;
  const left = [...state.endpointSecrets].filter(([, secret]) => secret === webhookSecret);
  return {
    state,
    faults: createFaults(),
    secretKey,
    now,
    url: "",
    request: null,
    followers: [followInvoice, followSession],
    leftEndpoints: new Set(left.map(([id]) => id)),
    keep: dataFile === undefined ? () => Promise.resolve() : createKeeper(dataFile, kept),
  };
}

function fail(response: ServerResponse, error: unknown): void {
  if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
  response.end(`Sandbox bug: ${error instanceof Error ? error.stack : String(error)}\n`);
}
