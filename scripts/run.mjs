/** `npm start`, `npm test`, `npm run check` and `npm run bench`, from a fresh clone and under any Node from 20 on:
 *  installs what is missing, finds a Node that runs TypeScript, and runs the command with it. */
import { resolve } from "node:path";
import { runChild } from "./run/child.mjs";
import { commands, isAvailable } from "./run/commands.mjs";
import { compiledFolder } from "./run/compiled.mjs";
import { installIfNeeded } from "./run/install.mjs";
import { findNode } from "./run/node.mjs";

const root = resolve(import.meta.dirname ?? new URL(".", import.meta.url).pathname, "..");

async function main([name = "", ...args]) {
  const command = commands[name];
  if (command === undefined) return usage();
  process.chdir(root);
  const installCode = await installIfNeeded(root);
  if (installCode !== 0) return installCode;
  const node = findNode(root);
  if (node === null) return 1;
  return command.isList ? runSteps(node, command.steps, args) : runStep(node, command.steps[0], args);
}

function usage() {
  console.error(`usage: node scripts/run.mjs ${Object.keys(commands).join("|")} [arguments]`);
  return 2;
}

/** Runs all, so that one run tells everything that is wrong. With arguments: only the steps of these names. */
async function runSteps(node, steps, names) {
  const unknown = names.filter((name) => !steps.some((step) => step.name === name));
  if (unknown.length > 0) {
    console.error(
      `no such step: ${unknown.join(", ")}; there are: ${steps.map((step) => step.name).join(", ")}`,
    );
    return 2;
  }
  const chosen = steps.filter((step) => names.length === 0 || names.includes(step.name));
  const failed = [];
  for (const step of chosen.filter(isAvailable)) {
    const startedAt = performance.now();
    const code = await runStep(node, step, []);
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    console.log(`${code === 0 ? "ok    " : "FAILED"} ${step.name} (${seconds} s)`);
    if (code > 128) return code;
    if (code !== 0) failed.push(step.name);
  }
  if (failed.length > 0) console.error(`failed: ${failed.join(", ")}`);
  return failed.length > 0 ? 1 : 0;
}

function runStep(node, step, args) {
  return runChild(node.path, [...(step.nodeArgs ?? []), step.script, ...step.args, ...args], {
    NODE_COMPILE_CACHE: compiledFolder(root),
    ...process.env,
    PATH: node.searchPath,
  });
}

process.exitCode = await main(process.argv.slice(2));
