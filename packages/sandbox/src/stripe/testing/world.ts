/** A sandbox Stripe for tests, with the official SDK, a clock that the test moves, and an endpoint that keeps what it is
 *  sent. */
import { createServer } from "node:http";
import { Stripe } from "stripe";
import { afterAll } from "vitest";
import { listenOn } from "../../listen.ts";
import { startSandboxStripe } from "../../stripe.ts";
import { readText } from "../wire/body.ts";

export const START = Date.UTC(2026, 0, 31, 12);

export interface Received {
  readonly event: Stripe.Event;
  readonly raw: string;
  readonly signature: string;
}

export async function useSandboxStripe() {
  const clock = { now: START };
  const sandbox = await startSandboxStripe({ now: () => clock.now });
  const { hostname, port } = new URL(sandbox.url);
  const open = (config: Partial<ConstructorParameters<typeof Stripe>[1]> = {}, key = sandbox.secretKey) =>
    new Stripe(key, {
      host: hostname,
      port,
      protocol: "http",
      telemetry: false,
      maxNetworkRetries: 0,
      ...config,
    });
  const receiver = await startReceiver();
  afterAll(async () => {
    await sandbox.close();
    await receiver.close();
  });
  return {
    sandbox,
    receiver,
    clock,
    stripe: open(),
    open,
    /** Moves the clock and lets what became due happen, until nothing is. */
    advance: async (milliseconds: number) => {
      clock.now += milliseconds;
      while ((await sandbox.tick()) > 0);
    },
  };
}

/** An endpoint that answers `status` and keeps what comes. */
export async function startReceiver() {
  const received: Received[] = [];
  const state = { status: 200 };
  const server = createServer((request, response) => {
    void readText(request).then((raw) => {
      const signature = request.headers["stripe-signature"] as string;
      received.push({ event: JSON.parse(raw!) as Stripe.Event, raw: raw!, signature });
      response.writeHead(state.status).end();
    });
  });
  const url = `http://127.0.0.1:${await listenOn(server, "127.0.0.1", 0)}/webhook`;
  return {
    url,
    received,
    state,
    types: () => received.map(({ event }) => event.type),
    clear: () => void received.splice(0),
    close: async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

/** The error that a call of the SDK ends with. Throws: it did not. */
export async function errorOf(call: Promise<unknown>): Promise<Stripe.errors.StripeError> {
  try {
    await call;
  } catch (error) {
    if (error instanceof Stripe.errors.StripeError) return error;
    throw error;
  }
  throw new Error("the call succeeded");
}
