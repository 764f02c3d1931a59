#!/usr/bin/env node
// Plain JavaScript that an older Node can read too. Bursar itself is TypeScript, for a Node that runs it as it is.
import { spawn } from "node:child_process";
import module from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import { compiledFolder } from "../../../scripts/run/compiled.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));

if (process.features.typescript) {
  module.enableCompileCache(compiledFolder(root));
  await import("../src/main.ts");
} else {
  const { findNode } = await import("../../../scripts/run/node.mjs");
  const node = findNode(root);
  if (node === null) process.exitCode = 70;
  else runWith(node);
}

/** Becomes the other Node as far as a child can: the same terminal, the same signals, the same end. */
function runWith({ path, searchPath }) {
  const env = { ...process.env, PATH: searchPath };
  const args = [fileURLToPath(import.meta.url), ...process.argv.slice(2)];
  const child = spawn(path, args, { stdio: "inherit", env });
  // A terminal sends Ctrl-C to both of us; passed on, it would arrive twice.
  const isOnTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  process.on("SIGINT", () => (isOnTerminal ? undefined : child.kill("SIGINT")));
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  process.on("SIGHUP", () => child.kill("SIGHUP"));
  child.on("error", (error) => {
    console.error(`cannot run ${path}: ${error.message}`);
    process.exitCode = 70;
  });
  child.on("exit", (code, signal) => process.exit(code ?? 128 + constants.signals[signal]));
}
