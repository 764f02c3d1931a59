import { setTimeout as delay } from "node:timers/promises";
import { Hono } from "hono";
import { expect, test } from "vitest";
import { listen } from "./listen.ts";

test.each([
  ["127.0.0.1", "127.0.0.1"],
  ["0.0.0.0", "127.0.0.1"],
  ["localhost", "localhost"],
])("a server on %s is asked at %s, where it answers", async (host, name) => {
  const app = new Hono().get("/", (context) => context.text("here"));
  const server = await listen(app, host, [0, 0]);
  try {
    for (const url of server.urls) {
      expect(new URL(url).hostname).toBe(name);
      expect(await (await fetch(url)).text()).toBe("here");
    }
  } finally {
    await server.close(0);
  }
});

test.each(["no-such-host.invalid", "192.0.2.1"])(
  "of the host %s it says what is wrong with it",
  async (host) => {
    await expect(listen(new Hono(), host, [0])).rejects.toThrow(
      `HOST: ${host} is not an address of this machine`,
    );
  },
);

test("a server that closes waits for the answers under way, and not for the connections that clients keep", async () => {
  const app = new Hono().get("/", async (context) => {
    await delay(200);
    return context.text("here");
  });
  const server = await listen(app, "127.0.0.1", [0]);
  const asked = fetch(server.urls[0]!);
  await delay(50);
  const startedAt = performance.now();
  const [answer] = await Promise.all([asked, server.close(10_000)]);
  expect(await answer.text()).toBe("here");
  expect(performance.now() - startedAt).toBeLessThan(5000);
});
