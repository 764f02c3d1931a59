import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { hostIn, projectFolder } from "../testing/project-folder.ts";
import { openJournal } from "./journal.ts";

const AT = "2026-01-01T00:00:00Z";

it("takes a run's changes back, whole, and only those", async () => {
  await using state = await projectFolder();
  await using project = await projectFolder({ "a.txt": "one\r\n", "mine.txt": "mine" });
  const journal = openJournal(join(state.path, "undo"));
  const during = (runId: string) =>
    hostIn(project.path, { beforeChange: (change) => journal.record(runId, change, AT) });

  const first = during("run-1");
  await first.call("str_replace", { path: "a.txt", replacements: [{ old: "one", new: "two" }] });
  const second = during("run-2");
  await second.call("str_replace", { path: "a.txt", replacements: [{ old: "two", new: "three" }] });
  await second.call("str_replace", { path: "a.txt", replacements: [{ old: "three", new: "four" }] });
  await second.call("write_file", { path: "new/b.txt", content: "b" });
  await second.call("str_replace", { path: "mine.txt", replacements: [{ old: "mine", new: "agent's" }] });
  await project.put("mine.txt", "mine again");

  expect(await journal.last()).toMatchObject({ runId: "run-2", entries: { length: 4 } });
  expect(await journal.undo("run-2", false)).toEqual(
    expect.arrayContaining([
      { kind: "restored", path: "a.txt" },
      { kind: "removed", path: "new/b.txt" },
      { kind: "changed", path: "mine.txt" },
    ]),
  );
  expect([await project.text("a.txt"), await project.text("mine.txt")]).toEqual(["two\r\n", "mine again"]);
  expect(await journal.undo("run-2", true)).toContainEqual({ kind: "restored", path: "mine.txt" });
  expect(await project.text("mine.txt")).toBe("mine");
  expect(await journal.last()).toMatchObject({ runId: "run-1" });
  await journal.undo("run-1", false);
  expect(await project.text("a.txt")).toBe("one\r\n");
  expect(await journal.last()).toBeNull();
});

it("takes older runs back also when a newer one ended while an entry was being written", async () => {
  await using state = await projectFolder();
  await using project = await projectFolder({ "a.txt": "one" });
  const journal = openJournal(join(state.path, "undo"));
  const first = hostIn(project.path, { beforeChange: (change) => journal.record("run-1", change, AT) });
  await first.call("str_replace", { path: "a.txt", replacements: [{ old: "one", new: "two" }] });
  await state.put("undo/run-2/000000-0badcafe.json.new", '{"runId":"ru');

  expect(await journal.last()).toMatchObject({ runId: "run-1" });
  await journal.undo("run-1", false);
  expect(await project.text("a.txt")).toBe("one");
});

it("can be read by its user only, and keeps the last 20 runs", async () => {
  await using state = await projectFolder();
  const folder = join(state.path, "undo");
  const journal = openJournal(folder);
  const change = { absolute: "/x", path: "x", before: null, after: Buffer.from("x") };
  for (let run = 10; run < 35; run += 1) await journal.record(`run-${run}`, change, AT);
  const runs = await readdir(folder);
  expect(runs).toHaveLength(20);
  expect(runs.toSorted((a, b) => (a < b ? -1 : 1))[0]).toBe("run-15");
  expect((await stat(join(folder, "run-34"))).mode & 0o077).toBe(0);
});
