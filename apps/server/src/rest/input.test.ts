import { expect, it } from "vitest";
import { readJson } from "./input.ts";

it.each([{}, { "content-length": "100" }])(
  "answers for a body that breaks off, and throws nothing: %j",
  async (headers) => {
    const body = new ReadableStream({
      start(controller) {
        controller.enqueue(Buffer.from('{"model":'));
        controller.error(Object.assign(new Error("aborted"), { code: "ECONNRESET" }));
      },
    });
    const request = new Request("http://test", {
      method: "POST",
      body,
      headers,
      duplex: "half",
    });
    expect(await readJson(request, 1000)).toMatchObject({ problem: "invalid_json" });
  },
);
