import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hostIn, outputOf, type ProjectFolder, projectFolder } from "../testing/project-folder.ts";
import { parseHookConfig } from "./config.ts";

async function withHooks(fileChangeHooks: readonly object[], file = "bursar.json"): Promise<ProjectFolder> {
  return projectFolder({ [file]: JSON.stringify({ fileChangeHooks }) });
}

async function run(project: ProjectFolder, files: readonly string[]) {
  return outputOf(await hostIn(project.path).call("run_file_change_hooks", { files: [...files] }));
}

describe("which hooks run", () => {
  it("those that are on and whose glob matches a changed file, in their order and in their folder", async () => {
    await using project = await withHooks([
      { name: "types", command: "pwd", filePattern: "**/*.ts", cwd: "sub" },
      { name: "off", command: "echo no", enabled: false },
      { name: "docs", command: "echo docs", filePattern: "docs/*.md" },
      { name: "always", command: "echo always" },
    ]);
    await project.put("sub/keep", "");
    const { results } = await run(project, ["src/deep/a.ts", "docs/deep/x.md"]);
    expect(results.map(({ hookName, stdout, exitCode }) => [hookName, stdout.trim(), exitCode])).toEqual([
      ["types", join(project.path, "sub"), 0],
      ["always", "always", 0],
    ]);
    expect(results[0]).toMatchObject({ command: "pwd", stderr: "", durationMs: expect.any(Number) });
  });

  it("none for an empty list, none when none matches, and that is said", async () => {
    await using project = await withHooks([{ name: "types", command: "true", filePattern: "**/*.ts" }]);
    expect(await run(project, [])).toEqual({
      results: [],
      message: expect.stringContaining("no file was named"),
    });
    expect(await run(project, ["a.md"])).toEqual({ results: [], message: expect.stringContaining("a.md") });
    await using bare = await projectFolder();
    expect((await run(bare, ["a.ts"])).message).toContain("neither bursar.json nor codebuff.json");
  });

  it("bursar.json goes before codebuff.json, which is read where there is none", async () => {
    await using project = await withHooks([{ name: "old", command: "echo old" }], "codebuff.json");
    expect((await run(project, ["a"])).results).toMatchObject([{ hookName: "old" }]);
    await project.put("bursar.json", '{"fileChangeHooks": [{"name": "new", "command": "echo new"}]}');
    expect((await run(project, ["a"])).results).toMatchObject([{ hookName: "new" }]);
  });

  it("also from a file with a mark at its beginning", async () => {
    const config = JSON.stringify({ fileChangeHooks: [{ name: "marked", command: "true" }] });
    await using project = await projectFolder({ "bursar.json": `\uFEFF${config}` });
    expect((await run(project, ["a"])).results).toMatchObject([{ hookName: "marked", exitCode: 0 }]);
  });

  it("a file outside the project asks for none, and a hook cannot run outside it", async () => {
    await using project = await withHooks([{ name: "out", command: "pwd", cwd: "../.." }]);
    expect((await run(project, ["../secret.ts"])).results).toEqual([]);
    expect((await run(project, ["a.ts"])).results).toMatchObject([
      { hookName: "out", exitCode: null, problem: expect.stringContaining("outside the project") },
    ]);
  });
});

describe("hooks that misbehave answer all the same", () => {
  it("one that hangs is killed at its time, with its children, and the next one runs", async () => {
    await using project = await withHooks([
      { name: "hangs", command: "echo begun; (trap '' TERM; sleep 60) & sleep 60", timeoutSeconds: 1 },
      { name: "next", command: "echo next" },
    ]);
    const { results } = await run(project, ["a"]);
    expect(results).toMatchObject([
      {
        hookName: "hangs",
        exitCode: null,
        stdout: "begun\n",
        problem: expect.stringContaining("after 1 seconds"),
      },
      { hookName: "next", exitCode: 0, stdout: "next\n" },
    ]);
    expect(results[0]!.durationMs).toBeLessThan(30_000);
  });

  it("ones that crash, are not there, or cannot start", async () => {
    await using project = await withHooks([
      { name: "crash", command: "kill -SEGV $$" },
      { name: "absent", command: "no-such-program-here" },
      { name: "nowhere", command: "true", cwd: "no/such/folder" },
      { name: "in a file", command: "true", cwd: "bursar.json" },
      { name: "NUL", command: "echo \u0000" },
      { name: "next", command: "true" },
    ]);
    const { results } = await run(project, ["a"]);
    expect(results).toMatchObject([
      { hookName: "crash", exitCode: null, problem: "ended by SIGSEGV" },
      { hookName: "absent", exitCode: 127, stderr: expect.stringContaining("not found") },
      { hookName: "nowhere", exitCode: null, problem: "could not be started: its folder is not there" },
      { hookName: "in a file", exitCode: null, problem: "could not be started: its folder is not there" },
      { hookName: "NUL", exitCode: null, problem: expect.stringContaining("could not be started") },
      { hookName: "next", exitCode: 0 },
    ]);
  });

  it("one that needs input finds the end of it at once", async () => {
    await using project = await withHooks([
      { name: "asks", command: "read answer || echo nobody; (: < /dev/tty) 2>/dev/null || echo no terminal" },
    ]);
    expect((await run(project, ["a"])).results).toMatchObject([
      { stdout: "nobody\nno terminal\n", exitCode: 0 },
    ]);
  });

  it("one that prints 100 MB keeps its beginning and end in 10,000 characters, and memory does not grow", async () => {
    const command = "echo FIRST; yes 0123456789abcdef | head -c 100000000; echo; echo LAST; echo é >&2";
    await using project = await withHooks([{ name: "loud", command }]);
    const before = process.memoryUsage().rss;
    const { results } = await run(project, ["a"]);
    const { stdout, stderr, exitCode } = results[0]!;
    expect(exitCode).toBe(0);
    expect(stdout.length).toBeLessThanOrEqual(10_000);
    expect(stdout.length).toBeGreaterThan(9_000);
    expect(stdout).toMatch(/^FIRST\n[^]*\n… \d+ characters left out …\n[^]*LAST\n$/);
    expect(stderr).toBe("é\n");
    expect(process.memoryUsage().rss - before).toBeLessThan(80_000_000);
  });

  it("one that prints long characters gives no halves of them", async () => {
    await using project = await withHooks([{ name: "smiles", command: "printf x; cat smiles.txt" }]);
    await project.put("smiles.txt", "😀".repeat(20_000));
    const { stdout } = (await run(project, ["a"])).results[0]!;
    expect(stdout).toContain("characters left out");
    expect(stdout.isWellFormed()).toBe(true);
  });

  it("one that the user refuses is not run, and says so", async () => {
    await using project = await withHooks([{ name: "rm", command: "touch ran" }]);
    const host = hostIn(project.path, { approve: async () => false });
    const { results } = outputOf(await host.call("run_file_change_hooks", { files: ["a"] }));
    expect(results).toMatchObject([{ exitCode: null, problem: expect.stringContaining("did not allow") }]);
    await expect(project.text("ran")).rejects.toThrow("ENOENT");
  });

  it("are killed when the run is cancelled", async () => {
    await using project = await withHooks([
      { name: "slow", command: "touch begun; sleep 60" },
      { name: "never", command: "touch never" },
    ]);
    const cancel = new AbortController();
    const host = hostIn(project.path);
    const running = host.call("run_file_change_hooks", { files: ["a"] }, { signal: cancel.signal });
    while ((await project.text("begun").catch(() => null)) === null)
      await new Promise((resolve) => setTimeout(resolve, 10));
    cancel.abort();
    const { results } = outputOf(await running);
    expect(results).toMatchObject([{ problem: "cancelled" }, { problem: "cancelled" }]);
    await expect(project.text("never")).rejects.toThrow("ENOENT");
  });
});

it("finds on disk what was sent before it, even in the same breath", async () => {
  await using project = await withHooks([{ name: "show", command: "cat a.txt b.txt" }]);
  const host = hostIn(project.path);
  const all = [
    host.call("write_file", { path: "a.txt", content: "A".repeat(200_000) }),
    host.call("write_file", { path: "b.txt", content: "B\n" }),
    host.call("str_replace", { path: "b.txt", replacements: [{ old: "B", new: "C" }] }),
  ] as const;
  const { results } = outputOf(await host.call("run_file_change_hooks", { files: ["a.txt"] }));
  expect(results[0]!.stdout.endsWith("AAAC\n")).toBe(true);
  for (const each of all) outputOf<unknown>(await each);
});

describe("a config file that is wrong names the line", () => {
  const problemsOf = (text: string) => {
    const config = parseHookConfig("bursar.json", text);
    return config.kind === "invalid" ? config.problems : config;
  };

  it("for broken JSON", async () => {
    expect(problemsOf('{\n  "fileChangeHooks": [\n    {"name": "a" "command": "b"}\n  ]\n}')).toEqual([
      "bursar.json:3: comma expected",
    ]);
    expect(problemsOf('{\n  "fileChangeHooks": [\n')).toMatchObject([
      expect.stringMatching(/^bursar.json:\d: /),
    ]);
    expect(problemsOf("")).toMatchObject([expect.stringMatching(/^bursar.json:1: /)]);
    await using project = await projectFolder({ "bursar.json": "{\n\n!" });
    const answer = await hostIn(project.path).call("run_file_change_hooks", { files: ["a"] });
    expect(answer).toMatchObject({
      error: { code: "config_invalid", message: expect.stringContaining("bursar.json:3") },
    });
  });

  it("for every field that cannot be", () => {
    const text = `{
      // why not
      "fileChangeHooks": [
        {"name": "fine", "command": "true"},
        {
          "name": "x",
          "command": "",
          "timeoutSeconds": 0,
          "enabled": "yes",
          "pattern": "*"
        },
        {"command": "true"},
      ],
    }`;
    expect(problemsOf(text)).toEqual([
      "bursar.json:7: fileChangeHooks[1].command must not be empty",
      "bursar.json:9: fileChangeHooks[1].enabled must be true or false",
      "bursar.json:8: fileChangeHooks[1].timeoutSeconds must be a number of seconds from 1 to 600",
      "bursar.json:10: fileChangeHooks[1].pattern is not a field of a hook",
      "bursar.json:12: fileChangeHooks[2].name must be a name",
    ]);
    expect(problemsOf('{"fileChangeHooks": {}}')).toEqual([
      "bursar.json:1: fileChangeHooks must be a list of hooks",
    ]);
    expect(problemsOf("[]")).toHaveLength(1);
  });

  it("for what stands there twice, of which JSON would take the last and say nothing", () => {
    const text = `{
      "fileChangeHooks": [{"name": "test", "command": "npm test"}],
      "fileChangeHooks": [
        {"name": "lint", "command": "npm run lint", "command": "true"}
      ]
    }`;
    expect(problemsOf(text)).toEqual([
      "bursar.json:3: fileChangeHooks stands here twice",
      "bursar.json:4: command stands here twice",
    ]);
    const namesakes = `{"fileChangeHooks": [
      {"name": "test", "command": "npm test", "filePattern": "a/**"},
      {"name": "test", "command": "npm test", "filePattern": "b/**"}
    ]}`;
    expect(problemsOf(namesakes)).toEqual([
      "bursar.json:3: fileChangeHooks[1].name must not be that of fileChangeHooks[0], too",
    ]);
  });

  it("and other tools' fields beside the hooks are theirs", () => {
    const hooks = '"fileChangeHooks": [{"name": "a", "command": "b"}]';
    expect(problemsOf(`{"startupProcesses": [], "startupProcesses": [], ${hooks}}`)).toMatchObject({
      kind: "config",
      hooks: [{ name: "a", command: "b", enabled: true, timeoutSeconds: 60 }],
    });
  });
});
