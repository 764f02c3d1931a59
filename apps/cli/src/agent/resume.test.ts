/** What a person sees when the server restarts in the middle of a run: one run. */
import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { type Forwarder, startForwarder } from "../../../server/test/forwarder.ts";
import { LONG, READ_SPEAK_RUN, stopInTheMiddle } from "../../../server/test/outliving-run.ts";
import { openProcesses, type Process } from "../../../server/test/processes.ts";
import { PRICES, type Running, startRunning } from "../../../server/test/running.ts";
import { bursar } from "../testing/bursar.ts";

let model: SandboxModel;
let running: Running;
let processes: Awaited<ReturnType<typeof openProcesses>>;
let balancer: Forwarder;
let [here, there]: Process[] = [];

beforeAll(async () => {
  [model, running] = await Promise.all([
    startSandboxModel(),
    startRunning(undefined, 0, {}, { startsNow: true }),
  ]);
  const models = {
    ...PRICES.models,
    "sandbox-scripted": { inputPerMillion: "150", outputPerMillion: "600" },
  };
  await running.engine.prices.put({ body: { ...PRICES, models }, by: "test" });
  model.scripts.add(READ_SPEAK_RUN);
  processes = await openProcesses(running.databaseUrl, {
    BURSAR_UPSTREAMS: JSON.stringify([{ name: "box", url: model.url, models: ["sandbox-*"] }]),
    BURSAR_AGENT_MODEL: "sandbox-scripted",
    BURSAR_SHUTDOWN_SECONDS: "0.1",
  });
  [here, there] = await Promise.all([processes.start(), processes.start()]);
  balancer = await startForwarder(here.url);
});
afterAll(async () => {
  await balancer?.close();
  await processes?.close();
  await running.close();
  await model.close();
});

it("goes on in another process as one run: each step and tool once, one end, and a line that says what happened", {
  timeout: 60_000,
}, async () => {
  await using project = await projectFolder({ "log.txt": "end", go: "" });
  const account = await running.account("100");
  const environment = { BURSAR_URL: balancer.url, BURSAR_API_KEY: account.key, XDG_STATE_HOME: project.path };
  stopInTheMiddle(model);
  const ended = bursar(["agent", "--yes", "Look at it"], { folder: project.path, environment });
  await vi.waitFor(() => expect(model.requests.list()).toHaveLength(2), { timeout: 40_000, interval: 20 });
  balancer.to(there!.url);
  here!.child.kill("SIGTERM");
  const { code, stdout, stderr } = await ended;
  expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
  expect(stdout).toContain(`${LONG}\n`);
  expect(stdout.trimEnd().endsWith("Done.")).toBe(true);
  const once = [
    "step 1:",
    "step 2:",
    "step 3:",
    "· read_files",
    "$ echo ran",
    "The run was interrupted, and goes on",
  ];
  expect(once.map((text) => [text, stderr.split(text).length - 1])).toEqual(once.map((text) => [text, 1]));
  expect(await project.text("ran.txt")).toBe("ran\n");
  const { available, held } = (await account.get("/v1/balance")).body;
  expect([Number(available) < 100, held]).toEqual([true, "0"]);
});
