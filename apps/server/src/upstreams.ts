import type { Settings, UpstreamSettings } from "./settings.ts";

const SANDBOX_MODELS = ["sandbox-*", "amazon.*", "meta.*"];

/** The models that are configured, and in a sandbox its own. */
export function upstreamsOf(
  settings: Pick<Settings, "upstreams">,
  model: { url: string } | null,
): readonly UpstreamSettings[] {
  if (model === null) return settings.upstreams;
  // What is configured by name comes first; one upstream for everything leaves the sandbox its own models.
  const sandbox = { name: "sandbox", url: model.url, models: SANDBOX_MODELS };
  const [named, general] = [false, true].map((isGeneral) =>
    settings.upstreams.filter(({ models }) => models.includes("*") === isGeneral),
  );
  return [...named!, sandbox, ...general!];
}
