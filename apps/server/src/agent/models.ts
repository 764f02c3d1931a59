import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { Models } from "@bursar/agent/ports";
import type { Upstream } from "@bursar/gateway/settings";
import { outputLimitField, upstreamFor } from "@bursar/gateway/upstream/choose";

/** The models of the configured upstreams, for the agent's SDK. */
export function openModels(upstreams: readonly Upstream[]): Models {
  const served = upstreams.map((upstream) => ({ ...upstream, provider: providerOf(upstream) }));
  return {
    find: (model) => {
      const upstream = upstreamFor(served, model);
      return upstream === null ? null : upstream.provider(upstream.modelNames?.[model] ?? model);
    },
  };
}

function providerOf(upstream: Upstream) {
  const { name, url, apiKey, headers } = upstream;
  const limitField = outputLimitField(upstream);
  return createOpenAICompatible({
    ...{ name, baseURL: url.replace(/\/+$/, ""), includeUsage: true },
    ...(apiKey === undefined ? {} : { apiKey }),
    ...(headers === undefined ? {} : { headers: { ...headers } }),
    transformRequestBody: ({ max_tokens: limit, ...body }) =>
      limit === undefined ? body : { ...body, [limitField]: limit },
  });
}
