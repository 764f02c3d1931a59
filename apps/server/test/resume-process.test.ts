/** Prompts that outlive the process they run in: real processes, told to end, or killed. */
import { credits } from "@bursar/contract/money";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { type Forwarder, startForwarder } from "./forwarder.ts";
import {
  beginRun,
  checkRun,
  LONG,
  type OutlivingRun,
  READ_SPEAK_RUN,
  stopInTheMiddle,
} from "./outliving-run.ts";
import { openProcesses, type Process } from "./processes.ts";
import { PRICES, type Running, startRunning } from "./running.ts";

const PATIENCE = { timeout: 30_000, interval: 20 };
/** Processes start in seconds, on a busy machine in many. */
const PATIENT = { timeout: 60_000 };
const RATES = { inputPerMillion: "150", outputPerMillion: "600" };

let model: SandboxModel;
let running: Running;
let processes: Awaited<ReturnType<typeof openProcesses>>;
let balancer: Forwarder;
const ready: Promise<Process>[] = [];

beforeAll(async () => {
  [model, running] = await Promise.all([
    startSandboxModel(),
    startRunning(undefined, 0, {}, { startsNow: true }),
  ]);
  const models = { ...PRICES.models, "sandbox-scripted": RATES };
  await running.engine.prices.put({ body: { ...PRICES, models }, by: "test" });
  model.scripts.add(READ_SPEAK_RUN);
  processes = await openProcesses(running.databaseUrl, {
    BURSAR_UPSTREAMS: JSON.stringify([{ name: "box", url: model.url, models: ["sandbox-*"] }]),
    BURSAR_SHUTDOWN_SECONDS: "0.1",
  });
  ready.push(processes.start(), processes.start());
  balancer = await startForwarder((await ready[0]!).url);
});
afterAll(async () => {
  await Promise.all(ready);
  await balancer?.close();
  await processes?.close();
  await running.close();
  await model.close();
});

/** The process that the balancer leads to, and another one that is ready to follow it. */
async function twoProcesses(): Promise<{ here: Process; there: Process }> {
  const here = await ready.shift()!;
  balancer.to(here.url);
  const there = await ready[0]!;
  // For the next test, while this one waits for leases.
  ready.push(processes.start());
  return { here, there };
}

const begin = (options: { budget?: string } = {}): Promise<OutlivingRun> =>
  beginRun({ url: balancer.url, model, modelName: "sandbox-scripted", running }, options);

test(
  "told to end in the middle of an answer, a process leaves the run to another: it goes on from its last step",
  PATIENT,
  async () => {
    const { here, there } = await twoProcesses();
    stopInTheMiddle(model);
    const run = await begin({ budget: "50" });
    await vi.waitFor(() => expect(run.heard.text).toContain("word word word"), PATIENCE);
    balancer.to(there.url);
    here.child.kill("SIGTERM");
    expect(await here.exit).toBe(0);
    await run.go();
    await checkRun(run, 4);
    // The words of the step that was cut are void, and come again.
    expect(run.heard.text).toMatch(/^I look\.(word ?)+\|(word ?){60}Done\.$/);
    expect(run.heard.cuts).toHaveLength(1);
    expect(credits(run.heard.cuts[0]!)).toBeGreaterThan(0n);
  },
);

test(
  "killed while the client works on a tool, it is followed by another process, which gets the answer of that work",
  PATIENT,
  async () => {
    const { here, there } = await twoProcesses();
    const run = await begin();
    await vi.waitFor(() => run.project.text("ran.txt"), PATIENCE);
    balancer.to(there.url);
    here.child.kill("SIGKILL");
    await here.exit;
    await vi.waitFor(() => expect(run.heard.cuts).toEqual(["0"]), PATIENCE);
    await run.go();
    await checkRun(run, 3);
    expect(run.heard.text).toBe(`I look.${LONG}|Done.`);
  },
);

test(
  "killed while a model speaks: what was reported of it is paid, and its hold does not stay",
  PATIENT,
  async () => {
    const { here, there } = await twoProcesses();
    stopInTheMiddle(model);
    const run = await begin();
    await vi.waitFor(() => expect(run.heard.text).toContain("word word word"), PATIENCE);
    balancer.to(there.url);
    here.child.kill("SIGKILL");
    await run.go();
    await checkRun(run, 4);
    const { holds } = (await run.account.get("/v1/holds").catch(() => ({ body: { holds: [] } }))).body;
    expect(holds ?? []).toEqual([]);
  },
);
