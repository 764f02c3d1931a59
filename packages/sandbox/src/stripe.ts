import { createServer, type ServerResponse } from "node:http";
import type { Stripe } from "stripe";
import { hostInUrl, listenOn } from "./listen.ts";
import { createDeliverer, type Deliverer } from "./stripe/event/deliver.ts";
import { resend } from "./stripe/event/emit.ts";
import { replaceEndpoint } from "./stripe/event/endpoints.ts";
import { createFaults, type Faults } from "./stripe/fault/faults.ts";
import { randomLetters } from "./stripe/ids.ts";
import { authenticatePayment } from "./stripe/intent/authenticate.ts";
import { settleOutcomes } from "./stripe/intent/later.ts";
import { type CardChange, changeCard } from "./stripe/method/change.ts";
import { emptyState } from "./stripe/state.ts";
import { serveApi } from "./stripe/wire/serve.ts";
import type { World } from "./stripe/world.ts";

export interface SandboxStripeOptions {
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The moving clock, in milliseconds. */
  readonly now: () => number;
  /** The key that every request needs; left out, a new one. */
  readonly secretKey?: string;
  /** Signs what goes to the endpoints that `register` adds; left out, a new one. */
  readonly webhookSecret?: string;
}

export interface SandboxStripe {
  /** `http://127.0.0.1:40127`; the API is at `/v1` below it. */
  readonly url: string;
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly faults: Faults;
  /** Sends events to a URL, all or those named, signed with `webhookSecret`. An endpoint of the same URL is replaced. */
  readonly register: (url: string, events?: readonly string[]) => Stripe.WebhookEndpoint;
  /** Does what became due by the moving clock, and delivers what is on its way. Returns how much that was. */
  readonly tick: () => Promise<number>;
  /** The holder's answer on the page of their bank. */
  readonly authenticate: (intentId: string, answer: "approve" | "deny") => void;
  /** Delivers an event again, to every endpoint. */
  readonly resend: (eventId: string) => void;
  /** Lets a saved card behave as another number or token does, or changes when it expires. */
  readonly changeCard: (methodId: string, change: CardChange) => void;
  /** Ends every connection and resolves when the port is free. */
  close(): Promise<void>;
}

/** Starts a Stripe that needs none: stateful, over real HTTP, for the official SDK. Everything is in memory. Webhooks are sent at
 *  once and then by `tick`. Throws: the port is taken. */
export async function startSandboxStripe(options: SandboxStripeOptions): Promise<SandboxStripe> {
  const { host = "127.0.0.1", port = 0, now } = options;
  const secretKey = options.secretKey ?? `sk_test_${randomLetters(32)}`;
  const webhookSecret = options.webhookSecret ?? `whsec_${randomLetters(32)}`;
  const world: World = {
    state: emptyState(),
    faults: createFaults(),
    secretKey,
    now,
    url: "",
    request: null,
  };
  const deliverer = createDeliverer(world);
  const underWay = new Set<string>();
  const server = createServer((request, response) => {
    void serveApi(world, underWay, request, response)
      .catch((error: unknown) => fail(response, error))
      .finally(deliverer.wake);
  });
  world.url = `http://${hostInUrl(host)}:${await listenOn(server, host, port)}`;
  return {
    ...controls(world, deliverer, webhookSecret),
    url: world.url,
    secretKey,
    webhookSecret,
    faults: world.faults,
    tick: async () => settleOutcomes(world) + (await deliverer.drain()),
    close: async () => {
      await deliverer.close();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

type Controls = Pick<SandboxStripe, "authenticate" | "changeCard" | "register" | "resend">;

/** What people and tests do to this world, other than by the API. */
function controls(world: World, deliverer: Deliverer, webhookSecret: string): Controls {
  return {
    register: (url, events = ["*"]) => replaceEndpoint(world, { url, events, secret: webhookSecret }),
    authenticate: (intentId, answer) => {
      authenticatePayment(world, intentId, answer === "approve");
      deliverer.wake();
    },
    resend: (eventId) => {
      resend(world, eventId);
      deliverer.wake();
    },
    changeCard: (methodId, change) => {
      changeCard(world, methodId, change);
      deliverer.wake();
    },
  };
}

function fail(response: ServerResponse, error: unknown): void {
  if (!response.headersSent) response.writeHead(500, { "content-type": "text/plain; charset=utf-8" });
  response.end(`Sandbox bug: ${error instanceof Error ? error.stack : String(error)}\n`);
}
