import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { openWebSearch } from "./web-search.ts";

async function answering(status: number, body: string) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(status, { "content-type": "application/json" }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/searx`;
  return {
    asked,
    search: openWebSearch(url),
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

const signal = new AbortController().signal;

it("asks a SearXNG as its API wants it, and keeps what a model can use", async () => {
  const results = Array.from({ length: 12 }, (_, at) => ({
    title: "t",
    url: `u${at}`,
    content: "x".repeat(2000),
  }));
  await using server = await answering(
    200,
    JSON.stringify({ query: "a b", results: [{ url: "first" }, ...results] }),
  );
  const found = await server.search("a b&c", signal);
  expect(server.asked).toEqual(["/searx/search?q=a+b%26c&format=json"]);
  expect(found).toHaveLength(10);
  expect(found[0]).toEqual({ title: "", url: "first", text: "" });
  expect(found[1]!.text).toHaveLength(1000);
});

it("says what is wrong when the answer is none", async () => {
  await using forbidden = await answering(403, "{}");
  await expect(forbidden.search("x", signal)).rejects.toThrow("the web search answered 403");
  await using other = await answering(200, "{}");
  await expect(other.search("x", signal)).rejects.toThrow("something else than results");
});
