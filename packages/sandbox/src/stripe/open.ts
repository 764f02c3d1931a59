import type { IncomingMessage, ServerResponse } from "node:http";
import { followInvoice } from "./billing/collect.ts";
import { settleBilling } from "./billing/renew.ts";
import { followSession } from "./checkout/follow.ts";
import { expireSessions } from "./checkout/session.ts";
import { type Actions, createActions } from "./control/actions.ts";
import { serveSandbox } from "./control/serve.ts";
import { settleDisputes } from "./dispute/due.ts";
import { createDeliverer } from "./event/deliver.ts";
import { createFaults, type Faults } from "./fault/faults.ts";
import { forgetOld } from "./forget.ts";
import { settleOutcomes } from "./intent/later.ts";
import { createKeeper, type Kept } from "./keep.ts";
import { settleRefunds } from "./refund/refund.ts";
import { serveApi } from "./wire/serve.ts";
import type { World } from "./world.ts";

export interface OpenOptions {
  readonly kept: Kept;
  /** The moving clock, in milliseconds. */
  readonly now: () => number;
  /** Where it is reached. */
  readonly url: string;
  readonly dataFile: string | undefined;
}

/** The Stripe behind a server, whoever has that listen. */
export interface OpenStripe {
  readonly actions: Actions;
  readonly faults: Faults;
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void;
  readonly tick: () => Promise<number>;
  /** Stops what is on its way to endpoints. */
  readonly stop: () => Promise<void>;
  /** Resolves when everything is on disk, if it is kept at all. */
  readonly keep: () => Promise<void>;
}

export function openStripe(options: OpenOptions): OpenStripe {
  const world = createWorld(options);
  const deliverer = createDeliverer(world);
  const actions = createActions(world, deliverer, options.kept.webhookSecret);
  const tick = async () => {
    const done = settle(world) + (await deliverer.drain());
    forgetOld(world);
    if (done > 0) await world.keep();
    return done;
  };
  const underWay = new Set<string>();
  return {
    actions,
    faults: world.faults,
    handle: (request, response) => {
      const served = request.url?.startsWith("/sandbox/")
        ? serveSandbox(world, actions, tick, request, response)
        : serveApi(world, underWay, request, response);
      void served.catch((error: unknown) => fail(response, error)).finally(deliverer.wake);
    },
    tick,
    stop: () => deliverer.close(),
    keep: world.keep,
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

function createWorld({ kept, now, url, dataFile }: OpenOptions): World {
  const { state, secretKey, webhookSecret } = kept;
  const left = [...state.endpointSecrets].filter(([, secret]) => secret === webhookSecret);
  return {
    state,
    faults: createFaults(),
    secretKey,
    now,
    url,
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
