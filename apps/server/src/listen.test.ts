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
