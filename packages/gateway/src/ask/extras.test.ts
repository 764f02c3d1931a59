import { expect, it } from "vitest";
import { checkExtras, EXTRA_FIELDS } from "./extras.ts";

it.each([
  { service_tier: "priority" },
  { service_tier: ["default"] },
  { speed: "fast" },
  { models: ["cheap", "dear"] },
  { route: "fallback" },
  { fallbacks: ["dear"] },
  { preset: "dear" },
  { provider: { order: ["dear"] } },
  { providerOptions: { gateway: { models: ["dear"] } } },
  { plugins: [{ id: "web" }] },
  { web_search_options: {} },
  { search_parameters: { mode: "on" } },
  { enable_search: true },
  { tools: [{ type: "function", function: { name: "f" } }, { type: "browser_search" }] },
  { tools: [{ google_search: {} }] },
  { tools: "web_search" },
  { modalities: ["text", "audio"] },
  { deferred: true },
])("names what may cost more than tokens do, or have another model answer: %j", (body) => {
  const [field] = Object.keys(body);
  expect(checkExtras(body)).toMatchObject({ kind: "invalid", param: field });
  expect(checkExtras(body, EXTRA_FIELDS)).toBeNull();
});

it.each([
  {},
  { service_tier: "auto" },
  { service_tier: "flex" },
  { service_tier: null, models: null, enable_search: false },
  {
    tools: [
      { type: "function", function: { name: "f" } },
      { type: "custom", custom: { name: "c" } },
    ],
  },
  { tools: [] },
  { modalities: ["text"] },
  { temperature: 1, reasoning_effort: "high", logprobs: true, top_k: 40, store: true, user: "somebody" },
])("lets through what does neither: %j", (body) => {
  expect(checkExtras(body)).toBeNull();
});
