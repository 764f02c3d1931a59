import { z } from "zod";
import type { WebSearch } from "./ports.ts";

const MOST_RESULTS = 10;
const TEXT_CHARACTERS = 1000;
const PATIENCE_MILLISECONDS = 20_000;

const answer = z.object({
  results: z.array(
    z.object({ title: z.string().default(""), url: z.string(), content: z.string().nullish() }),
  ),
});

/** Searches through a SearXNG instance, by its JSON API. `url`: its address. Source: docs.searxng.org, "Search API". */
export function openWebSearch(url: string): WebSearch {
  return async (query, signal) => {
    const target = new URL("search", url.endsWith("/") ? url : `${url}/`);
    target.search = new URLSearchParams({ q: query, format: "json" }).toString();
    const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MILLISECONDS)]);
    const response = await fetch(target, { headers: { accept: "application/json" }, signal: patience });
    if (!response.ok) throw new Error(`the web search answered ${response.status}`);
    const read = answer.safeParse(await response.json());
    if (!read.success) throw new Error("the web search answered something else than results");
    return read.data.results.slice(0, MOST_RESULTS).map(({ title, url, content }) => ({
      ...{ title, url },
      text: (content ?? "").slice(0, TEXT_CHARACTERS),
    }));
  };
}
