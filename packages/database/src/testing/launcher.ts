import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { connectionOptions } from "../connection.ts";
import type { EmbeddedPostgres, EmbeddedRequest } from "../embedded/postgres.ts";
import { THROWAWAY_SETTINGS } from "../embedded/settings.ts";
import { startEmbeddedPostgres } from "../embedded.ts";
import { parentOf } from "./processes.ts";

const PROGRAM = join(import.meta.dirname, "embedded-process.ts");

/** Another process that runs Postgres. */
export interface Program {
  readonly child: ChildProcess;
  readonly url: string;
  /** The postmaster's. */
  readonly pid: number;
  readonly supervisorPid: number;
}

/** What the launcher's tests work with. Every test gets a folder of its own, and what it started is ended after it. */
export class Launcher {
  parent = "";
  dataDir = "";
  #initialized = "";
  readonly #running: EmbeddedPostgres[] = [];
  readonly #programs: ChildProcess[] = [];

  constructor() {
    beforeAll(() => this.#initialize());
    beforeEach(() => this.#makeFolder());
    afterEach(() => this.#clean());
    afterAll(() => rm(dirname(this.#initialized), { recursive: true }));
  }

  /** Saves a test the second that an initialisation takes. */
  async useInitializedFolder(): Promise<void> {
    await promisify(execFile)("cp", ["-a", this.#initialized, this.dataDir]);
  }

  async start(request: Partial<EmbeddedRequest> = {}): Promise<EmbeddedPostgres> {
    const { dataDir } = this;
    const postgres = await startEmbeddedPostgres({ dataDir, settings: THROWAWAY_SETTINGS, ...request });
    this.#running.push(postgres);
    return postgres;
  }

  /** Throws: the program ends before Postgres runs, with what it wrote. */
  async startProgram(options: { mode?: string; uid?: number } = {}): Promise<Program> {
    const identity = options.uid === undefined ? {} : { uid: options.uid, gid: options.uid };
    const args = [PROGRAM, this.dataDir, options.mode ?? ""];
    const child = spawn(process.execPath, args, { cwd: "/", ...identity });
    let complaint = "";
    child.stderr.on("data", (chunk) => (complaint += String(chunk)));
    this.endAfterwards(child);
    for await (const line of child.stdout) {
      const { url, pid }: { url: string; pid: number } = JSON.parse(String(line));
      return { child, url, pid, supervisorPid: await parentOf(pid) };
    }
    throw new Error(complaint);
  }

  endAfterwards(child: ChildProcess): void {
    this.#programs.push(child);
  }

  async #initialize(): Promise<void> {
    this.#initialized = join(await makeTemporaryFolder(), "postgres");
    const postgres = await this.start({ dataDir: this.#initialized });
    await postgres.stop();
  }

  async #makeFolder(): Promise<void> {
    this.parent = await makeTemporaryFolder();
    this.dataDir = join(this.parent, "postgres");
  }

  async #clean(): Promise<void> {
    for (const program of this.#programs.splice(0)) program.kill("SIGKILL");
    for (const postgres of this.#running.splice(0)) await postgres.stop();
    await rm(this.parent, { recursive: true, force: true, maxRetries: 20 });
  }
}

async function makeTemporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "bursar-launcher-"));
  await chmod(folder, 0o755);
  return folder;
}

export async function query(url: string, sql: string): Promise<unknown[]> {
  const client = new Client(connectionOptions({ url, applicationName: "test" }));
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
}
