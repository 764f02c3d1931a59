/** A run that reads more than a model's context holds. */
import { projectFolder } from "@bursar/client/agent/testing/project-folder";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { type Running, ran, startRunning } from "./running.ts";

let running: Running;
beforeAll(async () => {
  running = await startRunning();
});
afterAll(() => running.close());
beforeEach(() => running.model.scripts.clear());

const LINE = "A line of ordinary words, as they stand in a long document that nobody reads to its end.\n";

it("a file that no model can read whole does not end the run, and the model is told", async () => {
  await using project = await projectFolder({ "long.txt": LINE.repeat(11_000), "a.txt": "small" });
  const read = (path: string) => ({ name: "read_files", arguments: { paths: [path] } });
  running.model.scripts.add({
    mode: "turns",
    replies: [{ tool_calls: [read("long.txt"), read("a.txt")] }, { content: "I see." }],
  });
  const account = await running.account("1000");
  const { outcome } = ran(await running.run({ account, prompt: "go", folder: project.path }));
  expect(outcome).toMatchObject({ ending: "done", text: "I see.", message: null });
  const said = JSON.stringify(running.model.requests.list().at(-1)!.body);
  expect(said).toContain("small");
  expect(said).toContain("too long to be read at once");
});
