/** The socket across real server processes. */
import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MASTER_KEY, type Running, startRunning } from "./running.ts";
import { openPeer } from "./socket-peer.ts";

const MAIN = join(import.meta.dirname, "../src/main.ts");
let running: Running;
let folder: string;
let far: Awaited<ReturnType<typeof startFar>> | undefined;

beforeAll(async () => {
  running = await startRunning();
  folder = await mkdtemp(join(tmpdir(), "bursar-far-"));
  far = await startFar();
});
afterAll(async () => {
  far?.child.kill("SIGKILL");
  await far?.exit;
  await running.close();
  await rm(folder, { recursive: true });
});

/** Another process on the same database, as in production. */
async function startFar() {
  const child = spawn(process.execPath, [MAIN, "--port", "0", "--host", "127.0.0.1"], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"],
      NODE_ENV: "production",
      DATABASE_URL: running.databaseUrl,
      BURSAR_ADMIN_KEY: "an-admin-key-of-this-test-0123456789abcdef",
      BURSAR_SECRET: "a secret of this test alone, 0123456789",
      BURSAR_MASTER_KEY: MASTER_KEY,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const url = await new Promise<string>((resolve, reject) => {
    let output = "";
    const take = (chunk: Buffer) => {
      output += String(chunk);
      const ready = /^ready (\S+)$/m.exec(output)?.[1];
      if (ready !== undefined) resolve(ready);
    };
    child.stdout.on("data", take);
    child.stderr.on("data", take);
    void exit.then(() => reject(new Error(output)));
  });
  return { child, exit, url };
}

test("what one process commits shows on a socket of another, which says goodbye when it ends", async () => {
  const { key, post } = await running.account("100");
  const peer = openPeer(far!.url, key);
  await peer.say({ type: "subscribe", topics: ["balance", "holds"] });
  expect(await peer.push("balance")).toMatchObject({ available: "100" });
  await post("/v1/holds", { id: "h1", amount: "40" });
  await peer.push("balance", (data) => data.available === "60" && data.held === "40");
  await peer.push("holds", ({ holds }) => holds[0]?.id === "h1");
  far!.child.kill("SIGTERM");
  expect(await peer.until(({ data }) => data?.type === "request-reconnect")).toBeTruthy();
  expect(await peer.closed).toMatchObject({ code: 1012 });
  expect(await far!.exit).toBe(0);
});
