/** What can be run. Every step is a script for Node, relative to the repository's root. */
import { existsSync } from "node:fs";

const tool = (path) => `node_modules/${path}`;

export const commands = {
  start: { isList: false, steps: [{ name: "start", script: "apps/server/src/main.ts", args: [] }] },
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
  bench: { isList: false, steps: [{ name: "bench", script: "bench/run.ts", args: [] }] },
};

/** A check that this checkout does not have yet is left out. */
export function isAvailable(step) {
  return existsSync(step.script);
}
