/** Server processes as in production: several on one database, each of which may be told to end, or killed. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MASTER_KEY } from "./running.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");

export const ADMIN_KEY = "an-admin-key-of-this-test-0123456789abcdef";

export interface Process {
  readonly url: string;
  readonly child: ChildProcess;
  /** Resolves with its exit code; null where it was killed. */
  readonly exit: Promise<number | null>;
  /** What it has said so far, its log included. */
  output(): string;
  call(key: string, method: string, path: string, body?: object): Promise<Called>;
}

interface Called {
  readonly status: number;
  readonly body: ReturnType<typeof JSON.parse>;
}

/** A server on a busy machine may say that it is too slow: then it is asked again, as anybody would. */
export async function patiently(url: string, init: RequestInit): Promise<Response> {
  for (;;) {
    const answer = await fetch(url, init);
    if (answer.status !== 503) return answer;
  }
}

/** A folder for processes, all of which are killed at the end. */
export async function openProcesses(databaseUrl: string, environment: Readonly<Record<string, string>> = {}) {
  const folder = await mkdtemp(join(tmpdir(), "bursar-processes-"));
  const started = new Set<Process>();
  return {
    start: async (): Promise<Process> => {
      const child = spawn(process.execPath, [MAIN, "--port", "0", "--host", "127.0.0.1"], {
        cwd: folder,
        env: {
          PATH: process.env["PATH"],
          NODE_ENV: "production",
          DATABASE_URL: databaseUrl,
          BURSAR_ADMIN_KEY: ADMIN_KEY,
          BURSAR_SECRET: "a secret of this test alone, 0123456789",
          BURSAR_MASTER_KEY: MASTER_KEY,
          ...environment,
        },
        stdio: ["ignore", "pipe", "pipe"],
      });
      const ready = await readyOf(child);
      started.add(ready);
      return ready;
    },
    close: async () => {
      for (const { child, exit } of started) {
        child.kill("SIGKILL");
        await exit;
      }
      await rm(folder, { recursive: true });
    },
  };
}

/** Rejects with what the process said when it ends before it is ready. */
async function readyOf(child: ChildProcess): Promise<Process> {
  let output = "";
  const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    const take = (chunk: Buffer) => {
      output += String(chunk);
      const ready = /^ready (\S+)$/m.exec(output)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    void exit.then(() => reject(new Error(output)));
  });
  const call = async (key: string, method: string, path: string, body?: object): Promise<Called> => {
    const response = await patiently(url + path, {
      method,
      headers: { authorization: `Bearer ${key}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  return { url, child, exit, output: () => output, call };
}
