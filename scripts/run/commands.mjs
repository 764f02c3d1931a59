/** What can be run. Every step is a script for Node, relative to the repository's root. */
import { existsSync } from "node:fs";

const tool = (path) => `node_modules/${path}`;

/** With a larger nursery, or Node's own, the garbage collector stops the server for twice as long at a time; with a smaller
 *  one it runs more often, while more of what it finds is still in use (docs/benchmarks.md). */
const NURSERY = ["--max-semi-space-size=16"];

export const commands = {
  start: {
    isList: false,
    steps: [{ name: "start", script: "apps/server/src/main.ts", args: [], nodeArgs: NURSERY }],
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
    steps: [{ name: "bench", script: "bench/run.ts", args: [], nodeArgs: NURSERY }],
  },
};

/** A check that this checkout does not have yet is left out. */
export function isAvailable(step) {
  return existsSync(step.script);
}
