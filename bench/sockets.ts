import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { option, report, round, summarise } from "./measure.ts";
import { type BenchServer, startServer } from "./server.ts";

const OPENING_AT_ONCE = 50;
/** By then every process has heard that another one has begun to listen; its first push may be a second late. */
const SETTLED_MILLISECONDS = 1500;

/** Idle sockets' memory, how soon a change is seen in the same process and in another, and many sockets that talk. The
 *  clients are in this process, each server in its own.
 *  `--messages-in-all` is what all talkers together say in a second, not what each of them says. */
export async function run(args: readonly string[]): Promise<void> {
  const idle = option(args, "idle", 10_000);
  const changes = option(args, "changes", 500);
  const talkers = option(args, "talkers", 2000);
  const inAll = option(args, "messages-in-all", 100);
  const seconds = option(args, "seconds", 60);
  const server = await startServer();
  try {
    await credit(server);
    await measureIdle(server, idle, changes);
  } finally {
    await server.close();
  }
  await measureAcross(changes);
  const fresh = await startServer();
  try {
    await credit(fresh);
    await measureTalk(fresh, talkers, inAll, seconds);
  } finally {
    await fresh.close();
  }
}

async function measureIdle(server: BenchServer, count: number, changes: number): Promise<void> {
  const before = await memoryOf(server.pid);
  const sockets = await openMany(server, count);
  await Promise.all(sockets.map((socket) => ask(socket, { type: "ping", txid: 0 })));
  await delay(2000);
  const after = await memoryOf(server.pid);
  report({
    bench: `${count} idle authenticated sockets`,
    megabytes: round(after - before, 1),
    kilobytesEach: round(((after - before) * 1024) / count, 1),
    processMegabytes: round(after, 1),
  });
  const pushes = await measurePushes(server, sockets[0]!, changes);
  report({
    bench: `push of a change, from its request's beginning, in one process beside ${count} idle sockets`,
    ...pushes,
  });
  for (const socket of sockets) socket.terminate();
}

/** Two servers on one database: every change is made at one, and seen on a socket of the other; then the same on a
 *  socket of the one that makes it, so that the two can be compared. */
async function measureAcross(changes: number): Promise<void> {
  const here = await startServer();
  const there = await startServer(undefined, { DATABASE_URL: here.databaseUrl });
  try {
    await credit(here);
    for (const [where, at] of [
      ["another process", there],
      ["the same process, of two", here],
    ] as const) {
      const watcher = await open({ ...here, url: at.url });
      const pushes = await measurePushes(here, watcher, changes, `${at.pid}`);
      report({ bench: `push of a change, from its request's beginning, on a socket of ${where}`, ...pushes });
      watcher.terminate();
    }
  } finally {
    await there.close();
    await here.close();
  }
}

async function measurePushes(server: BenchServer, watcher: WebSocket, changes: number, name = "idle") {
  const isThere = nextPush(watcher);
  watcher.send(JSON.stringify({ type: "subscribe", txid: 1, topics: ["balance"] }));
  await isThere;
  await delay(SETTLED_MILLISECONDS);
  const latencies: number[] = [];
  for (let i = 0; i < changes; i++) latencies.push(await pushLatency(server, watcher, `${name}_${i}`));
  const { p50Milliseconds, p99Milliseconds } = summarise(latencies, 1);
  return { p50Milliseconds, p99Milliseconds, changes };
}

/** When the next push arrives; acknowledgements are none. */
function nextPush(watcher: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    const hear = (data: Buffer) => {
      if ((JSON.parse(data.toString()) as { type: string }).type !== "push") return;
      watcher.off("message", hear);
      resolve(performance.now());
    };
    watcher.on("message", hear);
  });
}

/** From before the spend is asked until the balance after it is here: more than a change takes alone. */
async function pushLatency(server: BenchServer, watcher: WebSocket, name: string): Promise<number> {
  const seen = nextPush(watcher);
  const start = performance.now();
  const spent = post(server, "/v1/spend", server.apiKey, { id: `change_${name}`, amount: "0.001" });
  const at = await seen;
  await spent;
  return at - start;
}

/** Every message is answered, or it counts as lost. */
async function measureTalk(
  server: BenchServer,
  count: number,
  inAll: number,
  seconds: number,
): Promise<void> {
  const sockets = await openMany(server, count);
  const sentAt = new Map<string, number>();
  const latencies: number[] = [];
  let closes = 0;
  for (const [index, socket] of sockets.entries()) {
    socket.on("close", () => (closes += 1));
    socket.on("message", (data: Buffer) => {
      const { txid } = JSON.parse(data.toString()) as { txid: number };
      const name = `${index}:${txid}`;
      latencies.push(performance.now() - sentAt.get(name)!);
      sentAt.delete(name);
    });
  }
  const before = await memoryOf(server.pid);
  let most = before;
  const start = performance.now();
  let sent = 0;
  for (let tick = 0; tick < seconds * 10; tick++) {
    // A tenth of a second's messages at a time, in turns over all sockets.
    for (let i = 0; i < inAll / 10; i++, sent++) {
      const index = sent % sockets.length;
      const txid = Math.floor(sent / sockets.length);
      sentAt.set(`${index}:${txid}`, performance.now());
      sockets[index]!.send(JSON.stringify({ type: "ping", txid }));
    }
    if (tick % 10 === 0) most = Math.max(most, await memoryOf(server.pid));
    await delay(Math.max(0, start + (tick + 1) * 100 - performance.now()));
  }
  await delay(2000);
  const { p50Milliseconds, p99Milliseconds } = summarise(latencies, seconds);
  const tookSeconds = (performance.now() - start) / 1000 - 2;
  report({
    bench: `${count} sockets, which together say ${inAll} messages a second, for ${seconds} s`,
    perSecondInAll: Math.round(sent / tookSeconds),
    perSecondAndSocket: round(sent / tookSeconds / count, 3),
    sent,
    lost: sentAt.size,
    closes,
    p50Milliseconds,
    p99Milliseconds,
    megabytesBefore: round(before, 1),
    megabytesMost: round(most, 1),
  });
  for (const socket of sockets) socket.terminate();
}

async function openMany(server: BenchServer, count: number): Promise<WebSocket[]> {
  const sockets: WebSocket[] = [];
  while (sockets.length < count) {
    const some = Math.min(OPENING_AT_ONCE, count - sockets.length);
    sockets.push(...(await Promise.all(Array.from({ length: some }, () => open(server)))));
  }
  return sockets;
}

function open({ url, apiKey }: BenchServer): Promise<WebSocket> {
  const headers = { authorization: `Bearer ${apiKey}` };
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws`, { headers, perMessageDeflate: false });
  return new Promise((resolve, reject) => {
    socket.once("open", () => resolve(socket));
    socket.once("error", reject);
  });
}

function ask(socket: WebSocket, message: object): Promise<void> {
  return new Promise((resolve) => {
    socket.once("message", () => resolve());
    socket.send(JSON.stringify(message));
  });
}

const credit = (server: BenchServer) =>
  post(server, "/v1/grants", server.adminKey, {
    accountId: server.accountId,
    amount: "1000000",
    source: "purchase",
  });

async function post(server: BenchServer, path: string, key: string, body: object): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const response = await fetch(server.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
  await response.arrayBuffer();
}

/** Resident, as the system counts it. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) / 1024;
}
