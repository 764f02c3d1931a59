import { type ProjectFolder, projectFolder } from "@bursar/client/agent/testing/project-folder";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { FAILING_PROJECT, FALLIBLE_CODER, REVIEWER, TASK } from "../../../../packages/agent/test/fixture.ts";
import { startForwarder } from "../../../server/test/forwarder.ts";
import { type Running, startRunning } from "../../../server/test/running.ts";
import { bursar } from "../testing/bursar.ts";
import { openTerminal } from "../testing/terminal.ts";

let model: SandboxModel;
let running: Running;
let home: ProjectFolder;

beforeAll(async () => {
  [model, home] = await Promise.all([startSandboxModel(), projectFolder()]);
  const modelNames = { small: "sandbox-coder", large: "sandbox-scripted" };
  const upstream = { name: "box", url: model.url, models: ["small", "large"], modelNames };
  running = await startRunning(undefined, 0, {}, { upstreams: [upstream] });
});
beforeEach(() => {
  model.scripts.clear();
  model.requests.clear();
});
afterAll(async () => {
  await running.close();
  await model.close();
  await home[Symbol.asyncDispose]();
});

async function person(credits = "1000") {
  const account = await running.account(credits);
  const environment = { BURSAR_URL: running.url, BURSAR_API_KEY: account.key, XDG_STATE_HOME: home.path };
  const available = async () =>
    (await account.get("/v1/balance")).body as { available: string; held: string };
  return { ...account, environment, available };
}

const ORDER = 'replace "a - b" with "a + b" in sum.mjs, then run echo checked';

describe("without a terminal", () => {
  it("does a whole task over the socket: answer on stdout, changes, hooks and costs on stderr; undo takes it back", async () => {
    await using project = await projectFolder(FAILING_PROJECT);
    const { environment, available } = await person();
    model.scripts.add(FALLIBLE_CODER);
    model.scripts.add(REVIEWER);
    const run = (...args: string[]) => bursar(args, { folder: project.path, environment });
    const { code, stdout, stderr } = await run("agent", "--yes", "--model", "large", TASK);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain("sum adds again, and the test passes.\n");
    expect(await project.text("sum.mjs")).toContain("a + b");
    const order = ["~ sum.mjs", "-  return a - b;", "✗ test: exit 1", "+  return a + b;", "✓ test"];
    const places = order.map((text) => stderr.indexOf(text));
    expect(places.toSorted((a, b) => a - b)).toEqual(places);
    expect(places[0]).toBeGreaterThan(0);
    expect(stderr).toMatch(
      /step 4: [\d.]+ credits? for [\d,]+ \+ [\d,]+ tokens, [\d.]+ in total, [\d.]+ left/,
    );
    const { available: left, held } = await available();
    expect([Number(left) < 1000, held]).toEqual([true, "0"]);

    expect((await run("undo", "--list")).stdout).toBe("sum.mjs\n");
    expect((await run("undo")).stdout).toBe("sum.mjs: restored\n");
    expect(await project.text("sum.mjs")).toBe(FAILING_PROJECT["sum.mjs"]);
    expect(await run("undo")).toMatchObject({ code: 3, stderr: expect.stringContaining("nothing to undo") });
  });

  it("runs nothing that nobody can be asked about, and says so; --allow lets one command through", async () => {
    await using project = await projectFolder(FAILING_PROJECT);
    const { environment } = await person();
    const run = (...args: string[]) => bursar(args, { folder: project.path, environment });
    const refused = await run("agent", "run touch evil");
    expect(refused.stderr).toContain("Not allowed: nobody can be asked here (see --yes, --allow)");
    const chained = await run("agent", "--allow", "touch *", "run touch fine; touch evil");
    expect(chained.stderr).toContain("Not allowed");
    const allowed = await run("agent", "--allow", "touch *", "run touch fine");
    expect(allowed.code).toBe(0);
    expect(await project.text("fine")).toBe("");
    await expect(project.text("evil")).rejects.toThrow("ENOENT");
  });

  it("keeps secrets closed, also with --yes, and stays in its folder", async () => {
    await using project = await projectFolder({ ".env": "KEY=hunter2" });
    const { environment } = await person();
    const order = "read .env\nread ../../../../etc/passwd";
    const { stderr } = await bursar(["agent", "--yes", order], { folder: project.path, environment });
    expect(stderr).toContain("which may hold secrets");
    const sent = JSON.stringify(model.requests.list().map(({ body }) => body));
    expect(sent).toContain("secret_file");
    expect(sent).toContain("outside_project");
    expect(sent).not.toContain("hunter2");
  });

  it("prints one JSON event a line with --json, the end last, and reads the task from stdin", async () => {
    await using project = await projectFolder(FAILING_PROJECT);
    const { environment } = await person();
    const options = { folder: project.path, environment, stdin: ORDER };
    const { code, stdout, stderr } = await bursar(["agent", "--json", "--yes"], options);
    expect([code, stderr]).toEqual([0, ""]);
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string });
    expect(events.find(({ type }) => type !== "balance")).toMatchObject({
      type: "agent-started",
      agent: "coder",
      prompt: ORDER,
    });
    expect(events.at(-1)).toMatchObject({ type: "end", ended: "complete" });
    expect(new Set(events.map(({ type }) => type))).toEqual(
      new Set([
        ...["agent-started", "text", "tool-call", "tool-result", "step-cost", "agent-ended", "end"],
        "balance",
      ]),
    );
  });

  it("ends with a reason and an exit code when credits, budget or model do not allow it", async () => {
    await using project = await projectFolder();
    const run = async (credits: string, ...args: string[]) => {
      const { environment } = await person(credits);
      return bursar(["agent", ...args], { folder: project.path, environment });
    };
    expect(await run("0", "run true")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("No credits are left"),
    });
    const poor = await run("5", "--budget", "0.00001", "run true");
    expect(poor).toMatchObject({ code: 1, stderr: expect.stringContaining("Only 5 credits left") });
    expect(poor.stderr).toContain("budget_exhausted");
    expect(await run("50", "--model", "none", "x")).toMatchObject({
      code: 3,
      stderr: expect.stringContaining('"none"'),
    });
    expect(await run("50", "--agent", "nobody", "x")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("reviewer"),
    });
    expect(await run("50", "--budget", "many", "x")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--budget"),
    });
    const environment = { HOME: project.path, BURSAR_URL: running.url, BURSAR_API_KEY: "x" };
    const everything = await bursar(["agent", "x"], { folder: project.path, environment });
    expect(everything).toMatchObject({ code: 2, stderr: expect.stringContaining("--folder") });
    for (const nowhere of ["nowhere", "/dev/null", "/dev/null/below"]) {
      const options = { folder: home.path, environment };
      const { code, stderr } = await bursar(["agent", "--folder", nowhere, "x"], options);
      expect({ code, stderr }).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("a folder that is"),
      });
    }
    const nobody = { BURSAR_URL: "http://127.0.0.1:9", BURSAR_API_KEY: "x" };
    expect(await bursar(["agent", "x"], { folder: project.path, environment: nobody })).toMatchObject({
      code: 5,
    });
  });
});

describe("in a terminal", () => {
  it("asks before it runs anything, remembers what is always allowed, shows diffs and costs, and leaves with Ctrl-D", async () => {
    await using project = await projectFolder(FAILING_PROJECT);
    const { environment } = await person("150");
    using terminal = openTerminal(["agent"], { folder: project.path, environment });
    await terminal.see("agent> ");
    terminal.type(`${ORDER}\r`);
    await terminal.see("-  return a - b;");
    await terminal.see("+  return a + b;");
    await terminal.see("$ echo checked (in .)");
    await terminal.see("Allow? [y]es, [n]o, [a]lways");
    terminal.type("y");
    await terminal.see("exit 0");
    await terminal.see("$ node --check sum.mjs (hook typecheck, in .)");
    terminal.type("a");
    await terminal.see("$ node test.mjs (hook test, in .)");
    terminal.type("n");
    await terminal.see("did not allow this hook");
    await terminal.see("agent> ");
    terminal.type("\x1b[A");
    await terminal.see(ORDER);
    terminal.type("\x15write sum.mjs: export const sum = (a, b) => a + b;\r");
    await terminal.see("~ sum.mjs");
    // Allowed for good a moment ago; the other one is asked about again.
    await terminal.see("$ node --check sum.mjs (hook typecheck, in .)");
    await terminal.see("$ node test.mjs (hook test, in .)");
    await terminal.see("Allow?");
    terminal.type("y");
    await terminal.see("✓ test");
    await terminal.see("in total");
    await terminal.see("agent> ");
    terminal.type("\x04");
    expect(await terminal.exited).toBe(0);
  });

  it("takes a text that is pasted for one task, and waits for Enter where its last line has no end", async () => {
    await using project = await projectFolder();
    const { environment } = await person();
    using terminal = openTerminal(["agent", "--yes"], { folder: project.path, environment });
    await terminal.see("agent> ");
    terminal.type("write a.txt: one\rwrite b.txt: two\rrun echo thr");
    await terminal.see("echo thr");
    terminal.type("ee\r");
    await terminal.see("$ echo three");
    await terminal.see("agent> ");
    expect([await project.text("a.txt"), await project.text("b.txt")]).toEqual(["one\n", "two\n"]);
    terminal.type("run touch never\rand so");
    await terminal.see("and so");
    terminal.type("\x03");
    expect(await terminal.exited).toBe(0);
    await expect(project.text("never")).rejects.toThrow("ENOENT");
  });

  it("stops at once with Esc, pays for what was said, and is ready for the next", async () => {
    await using project = await projectFolder();
    const { environment, available } = await person();
    model.scripts.add({
      mode: "rules",
      replies: [{ content: "word ".repeat(2000), directive: "interval=10ms" }],
    });
    using terminal = openTerminal(["agent", "--model", "large"], { folder: project.path, environment });
    await terminal.see("agent> ");
    terminal.type("talk\r");
    await terminal.see("word word word");
    terminal.type("\x1b");
    await terminal.see("Ended early (cancelled)");
    await terminal.see("agent> ");
    expect(terminal.shown().split("word").length).toBeLessThan(1500);
    const { available: left, held } = await available();
    expect([Number(left) < 1000, held]).toEqual([true, "0"]);
    terminal.type("\x04");
    expect(await terminal.exited).toBe(0);
  });

  it("a command that runs ends with Esc, too", async () => {
    await using project = await projectFolder();
    const { environment } = await person();
    using terminal = openTerminal(["agent", "--yes", "run sleep 60"], { folder: project.path, environment });
    await terminal.see("$ sleep 60");
    await new Promise((resolve) => setTimeout(resolve, 300));
    terminal.type("\x1b");
    await terminal.see("cancelled");
    expect(await terminal.exited).toBe(130);
  });

  it.each(["SIGTERM", "SIGHUP"] as const)(
    "%s calls the run off, with the command that runs",
    async (signal) => {
      await using project = await projectFolder();
      const { environment, available } = await person();
      const order = "run while sleep 0.1; do echo beat >> beats; done";
      using terminal = openTerminal(["agent", "--yes", order], { folder: project.path, environment });
      await vi.waitFor(() => project.text("beats"), 30_000);
      terminal.kill(signal);
      expect(await terminal.exited).toBe(130);
      const beats = await project.text("beats");
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(await project.text("beats")).toBe(beats);
      expect((await available()).held).toBe("0");
    },
  );

  it("can be left while the server does not answer", async () => {
    await using project = await projectFolder();
    const { environment } = await person();
    const line = await startForwarder(running.url);
    const nowhere = { ...environment, BURSAR_URL: line.url };
    using terminal = openTerminal(["agent", "--yes", "run sleep 60"], {
      folder: project.path,
      environment: nowhere,
    });
    await terminal.see("$ sleep 60");
    await line.close();
    await terminal.see("The connection is lost");
    terminal.type("\x1b");
    await terminal.see("has not answered yet");
    terminal.type("\x03");
    await terminal.see("Left before");
    expect(await terminal.exited).toBe(130);
  });
});
