import { Agent, request } from "node:http";
import { measureCallers, option, report, round } from "./measure.ts";
import { startProcess, startServer, stop } from "./server.ts";

const CALLERS = 64;
const BATCH = 500;

/** REST beside a bare Hono route of the same size, with the same client, in turns within one run. */
export async function run(args: readonly string[]): Promise<void> {
  const seconds = option(args, "seconds", 6);
  const bare = await startProcess([new URL("bare.ts", import.meta.url).pathname]);
  const server = await startServer();
  try {
    await admin(server, "/v1/grants", {
      accountId: server.accountId,
      amount: "100000000",
      source: "purchase",
    });
    await spends(bare.url, "", 2);
    await spends(server.url, server.apiKey, 2);
    const bareRates: number[] = [];
    const rates: number[] = [];
    for (let turn = 0; turn < 3; turn += 1) {
      bareRates.push((await spends(bare.url, "", seconds / 3)).perSecond);
      const measured = await spends(server.url, server.apiKey, seconds / 3);
      rates.push(measured.perSecond);
      report({ bench: "POST /v1/spend, 64 callers", ...measured, bare: bareRates.at(-1) });
    }
    report({
      bench: "POST /v1/spend, median of 3",
      perSecond: median(rates),
      timesBare: round(median(rates) / median(bareRates)),
    });
    const batches = await measureCallers(4, seconds, () => batch(server.url, server.apiKey));
    report({
      bench: `POST /v1/batch of ${BATCH} spends, 4 callers`,
      operationsPerSecond: batches.perSecond * BATCH,
    });
  } finally {
    await server.close();
    await stop(bare.child);
  }
}

const median = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
const agent = new Agent({ keepAlive: true, maxSockets: CALLERS });
let count = 0;

function spends(url: string, key: string, seconds: number) {
  return measureCallers(CALLERS, seconds, () =>
    post(`${url}/v1/spend`, key, { id: `s${++count}`, amount: "0.5" }),
  );
}

async function batch(url: string, key: string): Promise<void> {
  const operations = Array.from({ length: BATCH }, () => ({ op: "spend", id: `b${++count}`, amount: "0.5" }));
  await post(`${url}/v1/batch`, key, { operations });
}

const admin = (server: { url: string; adminKey: string }, path: string, body: unknown) =>
  post(server.url + path, server.adminKey, body);

/** node:http and not fetch, because the client should not be what is measured. */
function post(url: string, key: string, body: unknown): Promise<void> {
  const text = JSON.stringify(body);
  const headers = {
    authorization: `Bearer ${key}`,
    "content-type": "application/json",
    "content-length": Buffer.byteLength(text),
  };
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: "POST", agent, headers }, (response) => {
      response.resume();
      response.on("end", () => {
        if (response.statusCode! < 300) resolve();
        else reject(new Error(`status ${response.statusCode}`));
      });
    });
    sent.on("error", reject);
    sent.end(text);
  });
}
