import { upstreamFor } from "@bursar/gateway/upstream/choose";
import { expect, test } from "vitest";
import { upstreamsOf } from "./upstreams.ts";

const upstream = (name: string, ...models: string[]) => ({ name, url: "http://127.0.0.1:1/v1", models });
const BOX = { url: "http://127.0.0.1:2/v1" };

test.each([
  [upstream("named", "gpt-*"), upstream("all", "*")],
  [upstream("all", "*"), upstream("named", "gpt-*")],
])("a model goes where it would go in live mode, and the sandbox keeps its own", (...upstreams) => {
  const [live, sandbox] = [null, BOX].map((model) => upstreamsOf({ upstreams }, model));
  for (const model of ["gpt-5", "other"])
    expect(upstreamFor(sandbox!, model)?.name).toBe(upstreamFor(live!, model)?.name);
  expect(upstreamFor(sandbox!, "sandbox-small")?.name).toBe("sandbox");
});

test("an upstream that names a sandbox model has it", () => {
  const upstreams = [upstream("mine", "sandbox-small")];
  expect(upstreamFor(upstreamsOf({ upstreams }, BOX), "sandbox-small")?.name).toBe("mine");
  expect(upstreamFor(upstreamsOf({ upstreams }, BOX), "sandbox-large")?.name).toBe("sandbox");
});
