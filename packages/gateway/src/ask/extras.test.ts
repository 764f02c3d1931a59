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
  {
    content: [
      { type: "text", text: "Hi" },
      { type: "input_audio", input_audio: { data: "", format: "wav" } },
    ],
  },
  { content: [{ type: "input_audio", Input_Audio: { data: "" } }] },
  { content: null, audio: { id: "audio_1" } },
])("names sound in a message, whose tokens have a price of their own: %j", (message) => {
  const body = { messages: [{ role: "user", content: "Hi" }, message] };
  expect(checkExtras(body)).toMatchObject({ kind: "invalid", param: "input_audio" });
  expect(checkExtras(body, ["input_audio"])).toBeNull();
});

it.each([
  {},
  {
    messages: [
      { role: "assistant", content: null, audio: null },
      { role: "user", content: [{ type: "text" }] },
    ],
  },
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
