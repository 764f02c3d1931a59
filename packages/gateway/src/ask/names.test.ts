import { expect, it } from "vitest";
import { checkNames } from "./names.ts";

it.each(["Model", "MODELS", "modelſ", "Max_Tokens", "N", "provideroptions", "Service_tier"])(
  "knows a field that is read here in other letters: %s",
  (field) => {
    expect(checkNames({ model: "m", [field]: 1 })).toMatchObject({ kind: "invalid", param: field });
  },
);

it("leaves names alone that only providers know", () => {
  const body = { model: "m", max_tokens: 1, providerOptions: {}, top_K: 40, "": 1, constructor: 1 };
  expect(checkNames(body)).toBeNull();
});

it("knows them where a body has them deeper", () => {
  const stream_options = { include_usage: true, Include_Usage: false };
  expect(checkNames({ model: "m", stream_options })).toMatchObject({ param: "stream_options.Include_Usage" });
  const tools = [{ type: "function" }, { type: "function", Type: "web_search" }];
  expect(checkNames({ model: "m", tools })).toMatchObject({ param: "tools[1].Type" });
  expect(checkNames({ model: "m", stream_options: { other: 1 }, tools: [{ type: "function" }] })).toBeNull();
});
