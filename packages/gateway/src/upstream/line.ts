import type { Ask } from "../ask/ask.ts";
import type { GatewaySettings, Upstream } from "../settings.ts";
import { openResilience, type Resilience } from "./resilience.ts";
import { openWire, type Wire } from "./wire.ts";

/** An upstream, ready to be asked. */
export interface Line {
  readonly upstream: Upstream;
  readonly wire: Wire;
  readonly resilience: Resilience;
}

export interface Lines {
  /** The first upstream whose list holds the model; null when none does. */
  find(model: string): Line | null;
  close(): void;
}

export function openLines(upstreams: readonly Upstream[], settings: GatewaySettings): Lines {
  const lines = upstreams.map((upstream) => ({
    upstream,
    wire: openWire(upstream),
    resilience: openResilience(settings),
    serves: upstream.models.map(patternOf),
  }));
  return {
    find: (model) => lines.find(({ serves }) => serves.some((pattern) => pattern.test(model))) ?? null,
    close: () => lines.forEach(({ wire }) => wire.agent.destroy()),
  };
}

function patternOf(name: string): RegExp {
  const parts = name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}

/** What the upstream is sent: the caller's body, its own name for the model, usage in streams, and, where credits
 *  pay for less than the caller may ask, a lower limit on output. */
export function bodyFor(line: Line, ask: Ask, outputCap: number | null): Buffer {
  const model = line.upstream.modelNames?.[ask.model] ?? ask.model;
  const body: Record<string, unknown> = { ...ask.body, model };
  if (ask.streams)
    body["stream_options"] = { ...(ask.body["stream_options"] as object), include_usage: true };
  if (outputCap !== null) for (const field of limitFields(line, ask)) body[field] = outputCap;
  return Buffer.from(JSON.stringify(body));
}

function limitFields(line: Line, ask: Ask): string[] {
  const given = ["max_tokens", "max_completion_tokens"].filter(
    (field) => typeof ask.body[field] === "number",
  );
  if (given.length > 0) return given;
  if (ask.path === "/completions") return ["max_tokens"];
  // OpenAI's newer models refuse max_tokens; many other providers know nothing else.
  const isOpenAi = line.wire.target.hostname?.endsWith("openai.com") ?? false;
  return [line.upstream.outputLimitField ?? (isOpenAi ? "max_completion_tokens" : "max_tokens")];
}
