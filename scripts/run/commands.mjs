/** What can be run. Every step is a script for Node, relative to the repository's root. */
import { existsSync } from "node:fs";

const tool = (path) => `node_modules/${path}`;

/** For the garbage collector, which stops the server while it works (docs/benchmarks.md): a nursery that is seldom full,
 *  and nothing made outside it, because what is made outside keeps alive what is made in it. */
const GARBAGE = ["--max-semi-space-size=32", "--no-allocation-site-pretenuring"];

export const commands = {
  start: {
    isList: false,
    steps: [{ name: "start", script: "apps/server/src/main.ts", args: [], nodeArgs: GARBAGE }],
  },
  test: { isList: false, steps: [{ name: "test", script: tool("vitest/vitest.mjs"), args: ["run"] }] },
  check: {
    isList: true,
    steps: [
      { name: "format", script: tool("@biomejs/biome/bin/biome"), args: ["check", "."] },
      { name: "lint", script: tool("oxlint/bin/oxlint"), args: ["--type-aware", "--deny-warnings"] },
      { name: "types", script: tool("typescript/bin/tsc"), args: ["-p", "."] },
      { name: "arrows", script: "scripts/arrows.ts", args: [] },
      { name: "dead code", script: tool("knip/bin/knip.js"), args: ["--no-progress"] },
    ],
  },
  bench: {
    isList: false,
    steps: [{ name: "bench", script: "bench/run.ts", args: [], nodeArgs: GARBAGE }],
  },
};

/** A check that this checkout does not have yet is left out. */
export function isAvailable(step) {
  return existsSync(step.script);
}
