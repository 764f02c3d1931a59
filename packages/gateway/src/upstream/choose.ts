import type { Upstream } from "../settings.ts";

/** The first upstream whose list holds the model; null when none does. */
export function upstreamFor<Known extends Pick<Upstream, "models">>(
  upstreams: readonly Known[],
  model: string,
): Known | null {
  return upstreams.find(({ models }) => models.some((name) => patternOf(name).test(model))) ?? null;
}

/** The field by which an upstream's output is limited. OpenAI's newer models refuse max_tokens; many other providers
 *  know nothing else. */
export function outputLimitField({
  url,
  outputLimitField: chosen,
}: Pick<Upstream, "url" | "outputLimitField">): NonNullable<Upstream["outputLimitField"]> {
  const isOpenAi = new URL(url).hostname.endsWith("openai.com");
  return chosen ?? (isOpenAi ? "max_completion_tokens" : "max_tokens");
}

function patternOf(name: string): RegExp {
  const parts = name.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`);
}
