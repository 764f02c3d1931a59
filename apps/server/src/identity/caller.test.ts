import { Hono } from "hono";
import { expect, test } from "vitest";
import { listen } from "../listen.ts";
import { callerOf } from "./caller.ts";

async function addressSeen(proxyHops: number, forwarded: string | null): Promise<string> {
  const app = new Hono();
  app.get("/", (context) => context.json(callerOf(context, proxyHops)));
  const server = await listen(app, "127.0.0.1", [0]);
  try {
    const headers = new Headers(forwarded === null ? {} : { "x-forwarded-for": forwarded });
    const answer = await fetch(server.urls[0]!, { headers });
    return ((await answer.json()) as { address: string }).address;
  } finally {
    await server.close(0);
  }
}

test.each<[hops: number, forwarded: string | null, address: string]>([
  [0, null, "127.0.0.1"],
  [0, "203.0.113.9", "127.0.0.1"],
  [1, "203.0.113.9", "203.0.113.9"],
  [1, "1.1.1.1, 203.0.113.9", "203.0.113.9"],
  [2, "1.1.1.1, 203.0.113.9, 10.0.0.2", "203.0.113.9"],
  [2, "203.0.113.9", "127.0.0.1"],
  [1, null, "127.0.0.1"],
])("behind %i proxies, a request with X-Forwarded-For %s is from %s", async (hops, forwarded, address) => {
  expect(await addressSeen(hops, forwarded)).toBe(address);
});
