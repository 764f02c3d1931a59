import { connect } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import type { HttpBindings } from "@hono/node-server";
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
  const arrived = Promise.withResolvers<void>();
  const app = new Hono().get("/", async (context) => {
    arrived.resolve();
    await delay(200);
    return context.text("here");
  });
  const server = await listen(app, "127.0.0.1", [0]);
  const asked = fetch(server.urls[0]!);
  await arrived.promise;
  const startedAt = performance.now();
  const [answer] = await Promise.all([asked, server.close(10_000)]);
  expect(await answer.text()).toBe("here");
  expect(performance.now() - startedAt).toBeLessThan(5000);
});

/** `/endless` has no end and fills every buffer on the way; `/slow` is long in the making. */
const waiting = () =>
  new Hono()
    .get("/endless", () => {
      const piece = new Uint8Array(1_000_000);
      return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(piece) }));
    })
    .get("/slow", async (context) => {
      await delay(1000);
      return context.text("here");
    });

/** Asks for it over a connection that is never read. Resolves when it has begun. */
async function askWithoutReading(url: string) {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.write("GET /endless HTTP/1.1\r\nhost: test\r\n\r\n");
  await new Promise((resolve) => socket.once("readable", resolve));
  return socket;
}

test("a server that closes does not wait until its goodbye for an answer that nobody reads", async () => {
  const server = await listen(waiting(), "127.0.0.1", [0]);
  const socket = await askWithoutReading(server.urls[0]!);
  const startedAt = performance.now();
  await server.close(400, 18_000);
  expect(performance.now() - startedAt).toBeLessThan(10_000);
  socket.destroy();
});

test("an answer that nobody reads is cut, and one that is long in the making is not", async () => {
  const cut = Promise.withResolvers<void>();
  const app = new Hono()
    .use("/endless", async ({ env }, next) => {
      (env as HttpBindings).outgoing.once("close", cut.resolve);
      await next();
    })
    .route("/", waiting());
  const server = await listen(app, "127.0.0.1", [0], undefined, 200);
  const socket = await askWithoutReading(server.urls[0]!);
  const slow = fetch(`${server.urls[0]!}/slow`);
  await cut.promise;
  expect(await (await slow).text()).toBe("here");
  await server.close(18_000);
  socket.destroy();
});
