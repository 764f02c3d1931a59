import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { afterEach, describe, expect, it } from "vitest";

const MODULE = new URL("child.mjs", import.meta.url).href;

/** Says when it is ready, what it hears, and ends with its own exit code. */
const PROGRAM = `
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => {
    process.stdout.write(signal + " ");
    setTimeout(() => process.exit(7), 300);
  });
  setInterval(() => {}, 1000);
  process.stdout.write("ready ");
`;

const WRAPPER = `
  import { runChild } from ${JSON.stringify(MODULE)};
  process.exitCode = await runChild(process.execPath, ["-e", process.argv[1]], process.env);
`;

const started: ChildProcess[] = [];
afterEach(() => {
  for (const wrapper of started.splice(0)) wrapper.kill("SIGKILL");
});

/** Gives what the program has said when all its output is closed, which is when nobody is left to write to it. */
async function runUntilReady(): Promise<{ wrapper: ChildProcess; output: Promise<string> }> {
  const { npm_lifecycle_event: _, ...env } = process.env;
  const args = ["--input-type=module", "-e", WRAPPER, PROGRAM];
  const wrapper = spawn(process.execPath, args, {
    env,
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  started.push(wrapper);
  let said = "";
  wrapper.stdout.on("data", (chunk) => (said += String(chunk)));
  const output = once(wrapper.stdout, "end").then(() => said);
  while (!said.includes("ready")) await once(wrapper.stdout, "data");
  return { wrapper, output };
}

describe("a program run by the wrapper", () => {
  it("hears one Ctrl-C once, though the terminal and npm each send it, and may end in its own time", async () => {
    const { wrapper, output } = await runUntilReady();
    process.kill(-wrapper.pid!, "SIGINT");
    process.kill(wrapper.pid!, "SIGINT");
    const [code] = await once(wrapper, "exit");
    expect([code, await output]).toEqual([7, "ready SIGINT "]);
  });

  it("hears SIGTERM", async () => {
    const { wrapper, output } = await runUntilReady();
    process.kill(wrapper.pid!, "SIGTERM");
    expect(await output).toBe("ready SIGTERM ");
  });

  it("is told to end when the wrapper is killed outright", async () => {
    const { wrapper, output } = await runUntilReady();
    process.kill(wrapper.pid!, "SIGKILL");
    expect(await output).toBe("ready SIGTERM ");
  });
});
