import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface BenchServer {
  readonly url: string;
  readonly apiKey: string;
  readonly adminKey: string;
  readonly accountId: string;
  readonly modelUrl: string;
  readonly databaseUrl: string;
  readonly pid: number;
  close(): Promise<void>;
}

const MAIN = new URL("../apps/server/src/main.ts", import.meta.url).pathname;

/** The real server as `npm start` runs it, in a process of its own, on a data folder of its own or a given one. */
export async function startServer(folder?: string, env: Record<string, string> = {}): Promise<BenchServer> {
  const dataDir = folder ?? (await mkdtemp(join(tmpdir(), "bursar-bench-")));
  const { child, url } = await startProcess([MAIN, "--port", "0"], { ...env, BURSAR_DATA_DIR: dataDir });
  const sandbox = JSON.parse(await readFile(join(dataDir, "sandbox.json"), "utf8")) as Omit<
    BenchServer,
    "pid" | "close"
  >;
  return {
    ...sandbox,
    url,
    pid: child.pid!,
    close: async () => {
      await stop(child);
      if (folder === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

/** A Node process that prints `ready <url>`, with the flags of this one, which are those of `npm start`. */
export function startProcess(
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<{ child: ChildProcess; url: string }> {
  const stdio: ["ignore", "pipe", "inherit"] = ["ignore", "pipe", "inherit"];
  const child = spawn(process.execPath, [...process.execArgv, ...args], {
    env: { ...process.env, ...env },
    stdio,
  });
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += String(chunk);
      const url = /^ready (\S+)$/m.exec(output)?.[1];
      if (url !== undefined) resolve({ child, url });
    });
    child.on("exit", (code) => reject(new Error(`the process ended with ${code}:\n${output}`)));
  });
}

export async function stop(child: ChildProcess): Promise<void> {
  child.removeAllListeners("exit");
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGINT");
  await ended;
}
