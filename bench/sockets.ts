import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { WebSocket } from "ws";
import { option, report, round, summarise } from "./measure.ts";
import { type BenchServer, startServer } from "./server.ts";

const OPENING_AT_ONCE = 50;

/** Idle sockets' memory, how soon a change is seen, and many sockets that talk. The clients are in this process, the
 *  server in its own. */
export async function run(args: readonly string[]): Promise<void> {
  const idle = option(args, "idle", 10_000);
  const changes = option(args, "changes", 500);
  const talkers = option(args, "talkers", 2000);
  const perSecond = option(args, "per-second", 100);
  const seconds = option(args, "seconds", 60);
  const server = await startServer();
  try {
    await credit(server);
    await measureIdle(server, idle, changes);
  } finally {
    await server.close();
  }
  const fresh = await startServer();
  try {
    await credit(fresh);
    await measureTalk(fresh, talkers, perSecond, seconds);
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
  const watcher = sockets[0]!;
  await ask(watcher, { type: "subscribe", txid: 1, topics: ["balance"] });
  const latencies: number[] = [];
  for (let i = 0; i < changes; i++) latencies.push(await pushLatency(server, watcher, i));
  const { p50Milliseconds, p99Milliseconds } = summarise(latencies, 1);
  report({
    bench: `push of a change, from its request's beginning, beside ${count} idle sockets`,
    p50Milliseconds,
    p99Milliseconds,
    changes,
  });
  for (const socket of sockets) socket.terminate();
}

/** From before the spend is asked until the balance after it is here: more than a change takes alone. */
async function pushLatency(server: BenchServer, watcher: WebSocket, index: number): Promise<number> {
  const seen = new Promise<number>((resolve) => {
    watcher.once("message", () => resolve(performance.now()));
  });
  const start = performance.now();
  const spent = post(server, "/v1/spend", server.apiKey, { id: `change_${index}`, amount: "0.001" });
  const at = await seen;
  await spent;
  return at - start;
}

/** Every message is answered, or it counts as lost. */
async function measureTalk(
  server: BenchServer,
  count: number,
  perSecond: number,
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
    for (let i = 0; i < perSecond / 10; i++, sent++) {
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
    bench: `${count} sockets, ${perSecond} messages a second in all, ${seconds} s`,
    perSecond: Math.round(sent / tookSeconds),
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
