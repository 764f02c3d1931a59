import { toolFailure } from "@bursar/contract/agent/tool";
import { inThread } from "../in-thread.ts";
import type { Listed, Listing } from "../search/list.ts";
import type { Handler } from "./host.ts";

const DEFAULT_RESULTS = 200;
const LISTER = new URL("../search/lister.ts", import.meta.url);

export const findFiles: Handler<"find_files"> = async (deps, { glob, maxResults }, signal) => {
  const listing: Listing = { root: deps.project.root, glob, maxResults: maxResults ?? DEFAULT_RESULTS };
  const listed = await inThread<Listed>(LISTER, listing, signal);
  if (listed.kind === "failed") return toolFailure(signal.aborted ? "cancelled" : "failed", listed.message);
  return { ok: true, output: { paths: [...listed.paths], isCut: listed.isCut } };
};
