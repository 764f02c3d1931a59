import picomatch from "picomatch";
import { walk } from "../search/walk.ts";
import type { Handler } from "./host.ts";

const DEFAULT_RESULTS = 200;

export const findFiles: Handler<"find_files"> = async (deps, { glob, maxResults }, signal) => {
  const most = maxResults ?? DEFAULT_RESULTS;
  const matches = picomatch(glob.replace(/^\.\//, ""), { dot: true, basename: !glob.includes("/") });
  const paths: string[] = [];
  for await (const path of walk(deps.project.root, ".", signal)) {
    if (!matches(path)) continue;
    if (paths.length === most) return { ok: true, output: { paths, isCut: true } };
    paths.push(path);
  }
  return { ok: true, output: { paths, isCut: false } };
};
