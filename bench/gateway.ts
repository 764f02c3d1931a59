import { fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { Agent, request } from "node:http";
import { setTimeout as delay } from "node:timers/promises";
import { option, report, round, summarise } from "./measure.ts";
import { startServer } from "./server.ts";

const CONCURRENT = 50;
const MANY = 1000;
/** 20 tokens, 50 ms apart. */
const STREAM_MILLISECONDS = 1000;

/** First token and whole streams through Bursar, beside the same from the model directly, in turns within one run. */
export async function run(args: readonly string[]): Promise<void> {
  const rounds = option(args, "rounds", 20);
  // The model in a process of its own, as a provider is.
  const model = await startModel();
  const upstreams = JSON.stringify([{ name: "model", url: model.url, models: ["sandbox-*"] }]);
  const server = { ...(await startServer(undefined, { BURSAR_UPSTREAMS: upstreams })), modelUrl: model.url };
  try {
    const direct: number[] = [];
    const metered: number[] = [];
    for (let turn = -2; turn < rounds; turn += 1) {
      const fromModel = await firstTokens(server.modelUrl, "none", CONCURRENT, "tokens=40 interval=5ms");
      const throughUs = await firstTokens(
        `${server.url}/v1`,
        server.apiKey,
        CONCURRENT,
        "tokens=40 interval=5ms",
      );
      if (turn < 0) continue;
      direct.push(...fromModel);
      metered.push(...throughUs);
    }
    const [a, b] = [summarise(direct, 1), summarise(metered, 1)];
    report({
      bench: "first token, 50 streams at once, direct",
      p50: a.p50Milliseconds,
      p99: a.p99Milliseconds,
    });
    report({
      bench: "first token, 50 streams at once, through Bursar",
      p50: b.p50Milliseconds,
      p99: b.p99Milliseconds,
    });
    const later = {
      p50: round(b.p50Milliseconds - a.p50Milliseconds),
      p99: round(b.p99Milliseconds - a.p99Milliseconds),
    };
    report({ bench: "first token, 50 streams at once, later by (ms)", ...later });
    await oneByOne(server);
    await spreadOut(server);
    await many(server);
  } finally {
    await server.close();
    model.close();
  }
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

/** One stream after the other: what the way through Bursar costs by itself. */
async function oneByOne(server: { url: string; apiKey: string; modelUrl: string }): Promise<void> {
  const direct: number[] = [];
  const metered: number[] = [];
  for (let index = 0; index < 200; index += 1) {
    direct.push(...(await firstTokens(server.modelUrl, "none", 1, "tokens=3")));
    metered.push(...(await firstTokens(`${server.url}/v1`, server.apiKey, 1, "tokens=3")));
  }
  const [a, b] = [summarise(direct, 1), summarise(metered, 1)];
  report({ bench: "first token, one stream, direct", p50: a.p50Milliseconds, p99: a.p99Milliseconds });
  report({
    bench: "first token, one stream, through Bursar",
    p50: b.p50Milliseconds,
    p99: b.p99Milliseconds,
  });
}

/** 50 streams under way at any time, which begin at different times, as callers do: the callers start spread over the
 *  time that one stream takes, and each begins anew when its stream has ended. */
async function spreadOut(server: { url: string; apiKey: string; modelUrl: string }): Promise<void> {
  const measure = async (url: string, key: string) => {
    const times: number[] = [];
    const caller = async (_: unknown, number: number) => {
      await delay((number / CONCURRENT) * STREAM_MILLISECONDS);
      for (let index = 0; index < 12; index += 1)
        times.push(...(await firstTokens(url, key, 1, "tokens=20 interval=50ms")));
    };
    await Promise.all(Array.from({ length: CONCURRENT }, caller));
    return summarise(times, 1);
  };
  const direct = await measure(server.modelUrl, "none");
  const metered = await measure(`${server.url}/v1`, server.apiKey);
  const later = {
    p50: round(metered.p50Milliseconds - direct.p50Milliseconds),
    p99: round(metered.p99Milliseconds - direct.p99Milliseconds),
  };
  report({
    bench: "first token, 50 streams under way, direct",
    p50: direct.p50Milliseconds,
    p99: direct.p99Milliseconds,
  });
  report({
    bench: "first token, 50 streams under way, through Bursar",
    p50: metered.p50Milliseconds,
    p99: metered.p99Milliseconds,
  });
  report({ bench: "first token, 50 streams under way, later by (ms)", ...later });
}

async function many(server: { url: string; apiKey: string; pid: number }): Promise<void> {
  const start = performance.now();
  await firstTokens(`${server.url}/v1`, server.apiKey, MANY, "tokens=100 interval=50ms");
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
function firstTokens(url: string, key: string, streams: number, directive: string): Promise<number[]> {
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
