import { fork } from "node:child_process";
import { mkdtemp, open, readFile, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { option, report, round, summarise } from "./measure.ts";
import { createRawTable } from "./raw-update.ts";
import { startProcess, startServer, stop } from "./server.ts";

const CONCURRENT = 50;
const MANY = 1000;
/** 20 tokens, 50 ms apart. */
const STREAM_MILLISECONDS = 1000;

interface Way {
  readonly url: string;
  readonly key: string;
}

/** The ways to the same model: straight; through a process that only passes on; through the same after one durable
 *  UPDATE, without which nothing is gated; through Bursar. */
const WAYS = ["direct", "bareProxy", "gatingProxy", "bursar"] as const;
type Ways = Readonly<Record<(typeof WAYS)[number], Way>>;

const RAW_ACCOUNTS = 1000;

/** First tokens and whole streams through Bursar, beside the same from the model directly, in turns within one run. */
export async function run(args: readonly string[]): Promise<void> {
  const rounds = option(args, "rounds", 20);
  // The model in a process of its own, as a provider is.
  const model = await startModel();
  const upstreams = JSON.stringify([{ name: "model", url: model.url, models: ["sandbox-*"] }]);
  const server = await startServer(undefined, { BURSAR_UPSTREAMS: upstreams });
  await createRawTable(server.databaseUrl, RAW_ACCOUNTS);
  const bareProxy = await startProxy({ MODEL_URL: model.url });
  const gatingProxy = await startProxy({
    MODEL_URL: model.url,
    DATABASE_URL: server.databaseUrl,
    RAW_ACCOUNTS: String(RAW_ACCOUNTS),
  });
  const ways: Ways = {
    direct: { url: model.url, key: "none" },
    bareProxy: { url: bareProxy.url, key: "none" },
    gatingProxy: { url: gatingProxy.url, key: "none" },
    bursar: { url: `${server.url}/v1`, key: server.apiKey },
  };
  try {
    await compare(`first token, ${CONCURRENT} streams at once`, ways, rounds, (way) =>
      firstTokens(way, CONCURRENT, "tokens=40 interval=5ms"),
    );
    await compare("first token, one stream", ways, 200, (way) => firstTokens(way, 1, "tokens=3"));
    await compare(`first token, ${CONCURRENT} streams under way`, ways, 2, underWay);
    report({ bench: "8 kB to disk (fdatasync)", ...(await diskWrites()) });
    await many(server, ways.bursar);
  } finally {
    await Promise.all([bareProxy, gatingProxy].map(({ child }) => stop(child)));
    await server.close();
    model.close();
  }
}

function startProxy(env: Record<string, string>): ReturnType<typeof startProcess> {
  return startProcess([new URL("bare-proxy.ts", import.meta.url).pathname], env);
}

function startModel(): Promise<{ url: string; close(): void }> {
  const child = fork(new URL("../packages/sandbox/src/model/main.ts", import.meta.url), {
    env: { ...process.env, SANDBOX_MODEL_PORT: "0" },
  });
  return new Promise((resolve) => {
    child.once("message", (message) =>
      resolve({ ...(message as { url: string }), close: () => child.kill() }),
    );
  });
}

/** The ways by turns, after one turn to warm up. `later`: by how much Bursar's percentiles are behind each. */
async function compare(
  bench: string,
  ways: Ways,
  rounds: number,
  measure: (way: Way) => Promise<number[]>,
): Promise<void> {
  const times = WAYS.map((): number[] => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, name] of WAYS.entries()) {
      const measured = await measure(ways[name]);
      if (round >= 0) times[index]!.push(...measured);
    }
  }
  const figures = times.map(percentiles);
  const { p50, p99 } = figures.at(-1)!;
  const later = figures
    .slice(0, -1)
    .map((than) => ({ p50: round(p50 - than.p50), p99: round(p99 - than.p99) }));
  const named = (all: Percentiles[]) => Object.fromEntries(all.map((one, index) => [WAYS[index]!, one]));
  report({ bench, ...named(figures), later: named(later) });
}

type Percentiles = ReturnType<typeof percentiles>;

/** In milliseconds. */
function percentiles(times: number[]) {
  const { p50Milliseconds, p99Milliseconds } = summarise(times, 1);
  return { p50: p50Milliseconds, p99: p99Milliseconds };
}

/** 50 streams under way at any time, which begin at different times, as callers do: the callers start spread over the
 *  time that one stream takes, and each begins anew when its stream has ended. */
async function underWay(way: Way): Promise<number[]> {
  const times: number[] = [];
  const caller = async (_: unknown, number: number) => {
    await delay((number / CONCURRENT) * STREAM_MILLISECONDS);
    for (let index = 0; index < 10; index += 1)
      times.push(...(await firstTokens(way, 1, "tokens=20 interval=50ms")));
  };
  await Promise.all(Array.from({ length: CONCURRENT }, caller));
  return times;
}

/** What the disk alone takes for a commit: no first token that waits for a hold can be sooner. */
async function diskWrites(): Promise<Percentiles> {
  const folder = await mkdtemp(join(tmpdir(), "bursar-bench-"));
  const file = await open(join(folder, "file"), "w");
  const block = Buffer.alloc(8192, 1);
  const times: number[] = [];
  for (let index = 0; index < 1000; index += 1) {
    const start = performance.now();
    await file.write(block, 0, block.length, (index % 100) * block.length);
    await file.datasync();
    if (index >= 100) times.push(performance.now() - start);
  }
  await file.close();
  await rm(folder, { recursive: true });
  return percentiles(times);
}

async function many(server: { readonly pid: number }, way: Way): Promise<void> {
  const start = performance.now();
  await firstTokens(way, MANY, "tokens=100 interval=50ms");
  const seconds = round((performance.now() - start) / 1000);
  const status = await readFile(`/proc/${server.pid}/status`, "utf8").catch(() => "");
  const peak = Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0);
  report({
    bench: "1000 streams at once, 100 tokens 50 ms apart",
    complete: MANY,
    seconds,
    peakMegabytes: Math.round(peak / 1024),
  });
}

const agent = new Agent({ keepAlive: true, maxSockets: MANY });

/** Opens so many streams together; resolves when all have ended, with the milliseconds to each one's first token. */
function firstTokens({ url, key }: Way, streams: number, directive: string): Promise<number[]> {
  const content = `[[sandbox: ${directive}]] go`;
  const body = JSON.stringify({
    model: "sandbox-small",
    stream: true,
    messages: [{ role: "user", content }],
  });
  return Promise.all(Array.from({ length: streams }, () => stream(`${url}/chat/completions`, key, body)));
}

function stream(url: string, key: string, body: string): Promise<number> {
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(body),
  };
  const start = performance.now();
  let first: number | null = null;
  let end = "";
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        end = text.slice(-20);
        if (first === null && text.includes('"content":"')) first = performance.now() - start;
      });
      response.on("end", () => {
        if (first !== null && end.includes("[DONE]")) resolve(first);
        else reject(new Error(`a stream did not end well: status ${response.statusCode}`));
      });
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
