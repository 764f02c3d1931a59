/** What can be run. Every step is a script for Node, relative to the repository's root. */
import { existsSync } from "node:fs";

const tool = (path) => `node_modules/${path}`;

/** A small nursery: the garbage collector then stops the server for 1 or 2 ms at a time instead of 15, and takes no
 *  longer in all (docs/benchmarks.md). */
const SHORT_PAUSES = ["--max-semi-space-size=2"];

export const commands = {
  start: {
    isList: false,
    steps: [{ name: "start", script: "apps/server/src/main.ts", args: [], nodeArgs: SHORT_PAUSES }],
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
    steps: [{ name: "bench", script: "bench/run.ts", args: [], nodeArgs: SHORT_PAUSES }],
  },
};

/** A check that this checkout does not have yet is left out. */
export function isAvailable(step) {
  return existsSync(step.script);
}
