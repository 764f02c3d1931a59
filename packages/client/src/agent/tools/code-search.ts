import { toolFailure } from "@bursar/contract/agent/tool";
import { inThread } from "../in-thread.ts";
import { searchWithRipgrep } from "../search/ripgrep.ts";
import type { Found } from "../search/search.ts";
import type { Handler } from "./host.ts";

const DEFAULT_RESULTS = 100;

/** The project's own search, where there is no ripgrep. */
const WALKER = new URL("../search/walker.ts", import.meta.url);

export const codeSearch: Handler<"code_search"> = async (deps, input, signal) => {
  const { pattern, glob, cwd = ".", ignoreCase = false, maxResults = DEFAULT_RESULTS } = input;
  const place = await deps.project.locate(cwd);
  if (place.kind === "refused") return place.refusal;
  // What is found is known by this name, behind which a link would hide what it is.
  if (place.isSecret) return toolFailure("secret_file", `${cwd} may hold secrets, which are not searched`);
  const search = { root: deps.project.root, start: place.path, pattern, glob, ignoreCase, maxResults };
  const found =
    (await searchWithRipgrep(search, deps.environment, signal)) ??
    (await inThread<Found>(WALKER, search, signal));
  switch (found.kind) {
    case "invalid":
      return toolFailure("invalid_input", `pattern: ${found.message}`);
    case "failed":
      return toolFailure(signal.aborted ? "cancelled" : "failed", found.message);
    case "found":
      return { ok: true, output: { matches: [...found.matches], isCut: found.isCut } };
  }
};
