import type { Settings, UpstreamSettings } from "./settings.ts";

const SANDBOX_MODELS = ["sandbox-*", "amazon.*", "meta.*"];

/** The models that are configured, and in a sandbox its own. */
export function upstreamsOf(
  settings: Pick<Settings, "upstreams">,
  model: { url: string } | null,
): readonly UpstreamSettings[] {
  if (model === null) return settings.upstreams;
  // Before the first upstream for everything, which leaves the sandbox its own models; else in the order that is set, as
  // in live mode.
  const sandbox = { name: "sandbox", url: model.url, models: SANDBOX_MODELS };
  const general = settings.upstreams.findIndex(({ models }) => models.includes("*"));
  return settings.upstreams.toSpliced(general === -1 ? settings.upstreams.length : general, 0, sandbox);
}
