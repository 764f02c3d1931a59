import type { Ask } from "../ask/ask.ts";
import { numberOr } from "../ask/fields.ts";
import type { GatewaySettings, Upstream } from "../settings.ts";
import { outputLimitField, upstreamFor } from "./choose.ts";
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
    models: upstream.models,
  }));
  return {
    find: (model) => upstreamFor(lines, model),
    close: () => lines.forEach(({ wire }) => wire.agent.destroy()),
  };
}

/** What the upstream is sent: the caller's body, its own name for the model, usage in streams, and, where credits
 *  pay for less than the caller may ask, a lower limit on output. */
export function bodyFor(line: Line, ask: Ask, outputCap: number | null): Buffer {
  const model = line.upstream.modelNames?.[ask.model] ?? ask.model;
  const body: Record<string, unknown> = { ...ask.body, model };
  if (ask.streams)
    body["stream_options"] = { ...(ask.body["stream_options"] as object), include_usage: true };
  if (outputCap !== null)
    for (const field of limitFields(line, ask))
      body[field] = Math.min(numberOr(body[field], outputCap), outputCap);
  return Buffer.from(JSON.stringify(body));
}

function limitFields(line: Line, ask: Ask): string[] {
  const given = ["max_tokens", "max_completion_tokens"].filter(
    (field) => typeof ask.body[field] === "number",
  );
  if (given.length > 0) return given;
  if (ask.path === "/completions") return ["max_tokens"];
  return [outputLimitField(line.upstream)];
}
