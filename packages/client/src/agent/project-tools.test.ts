import { chmod, mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TOOLS } from "@bursar/contract/agent/tools";
import { describe, expect, it } from "vitest";
import { isSecret } from "./project/secrets.ts";
import { hostIn, outputOf, projectFolder } from "./testing/project-folder.ts";

const failure = (code: string) => ({ ok: false, error: { code } });

describe("an agent stays in its project", () => {
  it("names nothing outside: not by dots, not absolutely, not through links of files or folders", async () => {
    await using elsewhere = await projectFolder({ "passwords.txt": "hunter2" });
    await using project = await projectFolder({ "a.txt": "a" });
    await symlink(elsewhere.path, join(project.path, "door"));
    await symlink(join(elsewhere.path, "passwords.txt"), join(project.path, "note.txt"));
    await symlink(join(elsewhere.path, "not-yet.txt"), join(project.path, "dangling.txt"));
    await symlink("loop", join(project.path, "loop"));
    const host = hostIn(project.path);
    const paths = ["../x", "/etc/passwd", "door/passwords.txt", "note.txt", "door/new/deep.txt", "loop/a"];
    for (const path of [...paths, join(elsewhere.path, "passwords.txt")]) {
      const read = outputOf(await host.call("read_files", { paths: [path] }));
      expect(read.files, path).toMatchObject([{ error: "outside_project" }]);
      const write = await host.call("write_file", { path, content: "mine" });
      expect(write, path).toMatchObject(failure("outside_project"));
      const replace = { path, replacements: [{ old: "hunter2", new: "x" }] };
      expect(await host.call("str_replace", replace)).toMatchObject(failure("outside_project"));
    }
    expect(await host.call("run_terminal_command", { command: "pwd", cwd: "door" })).toMatchObject(
      failure("outside_project"),
    );
    await host.call("write_file", { path: "dangling.txt", content: "mine" });
    expect(await readdir(elsewhere.path)).toEqual(["passwords.txt"]);
    expect(await elsewhere.text("passwords.txt")).toBe("hunter2");
    expect(host.questions).toEqual([]);
  });

  it("may use links that stay inside, and absolute paths into it", async () => {
    await using project = await projectFolder({ "src/a.txt": "a" });
    await symlink("src", join(project.path, "link"));
    const host = hostIn(project.path);
    const paths = ["link/a.txt", join(project.path, "src/a.txt"), "./src/../src/a.txt"];
    const { files } = outputOf(await host.call("read_files", { paths }));
    expect(files.map((file) => ("content" in file ? file.content : file.error))).toEqual(["a", "a", "a"]);
  });

  it("asks before it reads or writes a secret, also through a link, and takes no for an answer", async () => {
    await using project = await projectFolder({
      ".env": "KEY=1",
      "deploy/id_ed25519": "k",
      ".git/config": "",
    });
    await symlink(".env", join(project.path, "harmless.txt"));
    const asked: object[] = [];
    const approve = async (question: object) => asked.push(question) < 0;
    const host = hostIn(project.path, { approve });
    const paths = [".env", "harmless.txt", "deploy/id_ed25519", ".git/config"];
    const { files } = outputOf(await host.call("read_files", { paths }));
    expect(files.map((file) => "error" in file && file.error)).toEqual(Array(4).fill("secret_file"));
    expect(asked).toContainEqual({ kind: "secret", path: "harmless.txt", purpose: "read" });
    const write = await host.call("write_file", { path: ".git/hooks/pre-commit", content: "evil" });
    expect(write).toMatchObject(failure("secret_file"));
    const replace = { path: ".env", replacements: [{ old: "1", new: "2" }] };
    expect(await host.call("str_replace", replace)).toMatchObject(failure("secret_file"));
    expect(await project.text(".env")).toBe("KEY=1");
  });

  it("knows the usual secrets and leaves ordinary files alone", () => {
    const secrets = [
      ".env",
      "a/.env.production",
      "prod.env",
      ".npmrc",
      "x/server.key",
      "cert.PEM",
      ".ssh/config",
    ];
    const more = [
      "secrets.yml",
      "service-account-1.json",
      ".aws/credentials",
      "Credentials.json",
      ".bursar/x",
    ];
    expect([...secrets, ...more].filter((path) => !isSecret(path))).toEqual([]);
    const plain = [
      ".env.example",
      "src/environment.ts",
      "keys.ts",
      "docs/secrets.md",
      "monkey.ts",
      ".gitignore",
    ];
    expect(plain.filter(isSecret)).toEqual([]);
  });
});

describe("files are changed as they are written", () => {
  it("keeps the line ends of Windows and the mark at the beginning", async () => {
    await using project = await projectFolder({ "a.txt": "\uFEFFone\r\ntwo\r\nthree\r\n" });
    const host = hostIn(project.path);
    const { files } = outputOf(await host.call("read_files", { paths: ["a.txt"] }));
    expect(files).toEqual([{ path: "a.txt", content: "one\r\ntwo\r\nthree\r\n" }]);
    const replacements = [{ old: "one\ntwo", new: "1\n2" }];
    expect(outputOf(await host.call("str_replace", { path: "a.txt", replacements }))).toEqual({
      ...{ path: "a.txt", change: "changed" },
      ...{ addedLines: 2, removedLines: 2 },
    });
    expect(await project.text("a.txt")).toBe("\uFEFF1\r\n2\r\nthree\r\n");
    await host.call("write_file", { path: "a.txt", content: "all\nnew\n" });
    expect(await project.text("a.txt")).toBe("\uFEFFall\r\nnew\r\n");
  });

  it("writes new lines with the line ends of Windows also in place of a text without any", async () => {
    await using project = await projectFolder({ "a.txt": "one\r\ntwo\r\n" });
    const host = hostIn(project.path);
    const replacements = [{ old: "two", new: "two\nthree" }];
    outputOf(await host.call("str_replace", { path: "a.txt", replacements }));
    expect(await project.text("a.txt")).toBe("one\r\ntwo\r\nthree\r\n");
  });

  it("leaves mixed line ends elsewhere in the file as they were", async () => {
    await using project = await projectFolder({ "a.txt": "one\r\ntwo\nthree\r\n" });
    const host = hostIn(project.path);
    await host.call("str_replace", { path: "a.txt", replacements: [{ old: "two", new: "2" }] });
    expect(await project.text("a.txt")).toBe("one\r\n2\nthree\r\n");
  });

  it("refuses binary files, folders, and what is too large, by name", async () => {
    await using project = await projectFolder({
      "a.bin": Buffer.from([0, 1]),
      "latin.txt": Buffer.from([0xe9]),
    });
    await project.put("big.txt", "x".repeat(1_000_001));
    await mkdir(join(project.path, "folder"));
    const host = hostIn(project.path);
    const paths = ["a.bin", "latin.txt", "folder", "big.txt", "missing.txt"];
    const { files } = outputOf(await host.call("read_files", { paths }));
    expect(files.map((file) => "error" in file && file.error)).toEqual([
      "binary_file",
      "binary_file",
      "not_a_file",
      "file_too_large",
      "file_missing",
    ]);
    const write = await host.call("write_file", { path: "a.bin", content: "text" });
    expect(write).toMatchObject(failure("binary_file"));
  });

  it("does not overwrite what it has not read, nor what somebody changed since", async () => {
    await using project = await projectFolder({ "a.txt": "mine\n" });
    const host = hostIn(project.path);
    const write = () => host.call("write_file", { path: "a.txt", content: "agent's\n" });
    expect(await write()).toMatchObject(failure("file_not_read"));
    await host.call("read_files", { paths: ["a.txt"] });
    await project.put("a.txt", "changed by me\n");
    expect(await write()).toMatchObject(failure("file_changed"));
    expect(await project.text("a.txt")).toBe("changed by me\n");
    await host.call("read_files", { paths: ["a.txt"] });
    expect(outputOf(await write())).toMatchObject({ change: "changed" });
    expect(outputOf(await write())).toMatchObject({ change: "unchanged" });
  });

  it("does all replacements of a call or none, and says which text is missing or not the only one", async () => {
    await using project = await projectFolder({ "a.txt": "x = 1\nx = 1\ny = 2\n" });
    const host = hostIn(project.path);
    const replace = (...replacements: { old: string; new: string; all?: boolean }[]) =>
      host.call("str_replace", { path: "a.txt", replacements });
    expect(await replace({ old: "y = 2", new: "y = 3" }, { old: "z", new: "" })).toMatchObject({
      error: { code: "text_not_found", message: expect.stringContaining("replacements[1].old") },
    });
    expect(await replace({ old: "x = 1", new: "x = 2" })).toMatchObject(failure("text_ambiguous"));
    expect(await project.text("a.txt")).toBe("x = 1\nx = 1\ny = 2\n");
    await project.put("b.txt", "  }\n  }\n  }\n");
    const overlapping = { path: "b.txt", replacements: [{ old: "  }\n  }\n", new: "" }] };
    expect(await host.call("str_replace", overlapping)).toMatchObject(failure("text_ambiguous"));
    outputOf(await replace({ old: "x = 1", new: "$& = 2", all: true }));
    expect(await project.text("a.txt")).toBe("$& = 2\n$& = 2\ny = 2\n");
  });

  it("keeps a file's permissions, leaves nothing half written, and does not write when told before that it cannot", async () => {
    await using project = await projectFolder({ "run.sh": "#!/bin/sh\n" });
    await chmod(join(project.path, "run.sh"), 0o755);
    const host = hostIn(project.path);
    await host.call("str_replace", { path: "run.sh", replacements: [{ old: "/bin/sh", new: "/bin/bash" }] });
    expect((await stat(join(project.path, "run.sh"))).mode & 0o777).toBe(0o755);
    const beforeChange = async () => {
      throw new Error("the disk is full");
    };
    const failing = hostIn(project.path, { beforeChange });
    const answer = await failing.call("write_file", { path: "new.txt", content: "x" });
    expect(answer).toMatchObject({
      error: { code: "failed", message: expect.stringContaining("disk is full") },
    });
    expect(await readdir(project.path)).toEqual(["run.sh"]);
  });

  it("answers a call with a wrong input by the field, and an unknown tool by its name", async () => {
    await using project = await projectFolder();
    const { tools } = hostIn(project.path);
    const call = { requestId: "1", timeoutMs: 1000, signal: new AbortController().signal };
    const wrong = await tools.call({ ...call, toolName: "write_file", input: { path: "", contents: "x" } });
    expect(wrong).toMatchObject({
      error: { code: "invalid_input", message: expect.stringContaining("path: must not be empty") },
    });
    const unknown = await tools.call({ ...call, toolName: "end_turn" as never, input: {} });
    expect(unknown).toMatchObject(failure("tool_unknown"));
  });

  it("answers in the shape that the contract promises", async () => {
    await using project = await projectFolder({ "a.txt": "needle\n" });
    const host = hostIn(project.path);
    const answers = {
      read_files: await host.call("read_files", { paths: ["a.txt", "b.txt"] }),
      write_file: await host.call("write_file", { path: "c.txt", content: "" }),
      create_plan: await host.call("create_plan", { path: "plan.md", plan: "1. do it" }),
      run_terminal_command: await host.call("run_terminal_command", { command: "exit 3" }),
      code_search: await host.call("code_search", { pattern: "needle" }),
      find_files: await host.call("find_files", { glob: "*.txt" }),
      run_file_change_hooks: await host.call("run_file_change_hooks", { files: [] }),
    };
    for (const [name, answer] of Object.entries(answers)) {
      const { output } = TOOLS[name as keyof typeof answers];
      expect(output.safeParse(outputOf<unknown>(answer)), name).toMatchObject({ success: true });
    }
  });
});

it("a replacement does not make a file that could not be read again", async () => {
  await using project = await projectFolder({ "a.txt": "a".repeat(900_000) });
  const host = hostIn(project.path);
  const replacements = [{ old: "a", new: "b".repeat(400), all: true }];
  expect(await host.call("str_replace", { path: "a.txt", replacements })).toMatchObject(
    failure("file_too_large"),
  );
  expect(await project.text("a.txt")).toBe("a".repeat(900_000));
});

describe("commands", () => {
  it("run only with a yes, in the folder that was named, without our keys", async () => {
    await using project = await projectFolder({ "sub/a.txt": "" });
    const refusing = hostIn(project.path, { approve: async () => false });
    expect(await refusing.call("run_terminal_command", { command: "touch evil" })).toMatchObject(
      failure("not_approved"),
    );
    const environment = { ...process.env, BURSAR_API_KEY: "bk_secret", OTHER: "fine" };
    const host = hostIn(project.path, { environment });
    const command = 'pwd; echo "$OTHER[$BURSAR_API_KEY]"; echo oops >&2; exit 7';
    const result = outputOf(await host.call("run_terminal_command", { command, cwd: "sub" }));
    expect(result).toMatchObject({ stdout: `${project.path}/sub\nfine[]\n`, stderr: "oops\n", exitCode: 7 });
    expect(host.questions).toEqual([{ kind: "command", command, cwd: "sub" }]);
    expect(await readdir(project.path)).toEqual(["sub"]);
  });

  it("are killed with everything they started when the run is cancelled", async () => {
    await using project = await projectFolder();
    const host = hostIn(project.path);
    const cancel = new AbortController();
    const command = "sh -c 'echo $$ > child.pid; exec sleep 60' & echo $$ > parent.pid; touch ready; wait";
    const running = host.call("run_terminal_command", { command }, { signal: cancel.signal });
    await until(async () => (await readdir(project.path)).length === 3);
    cancel.abort();
    const answer = await running;
    expect(answer.ok ? answer.output.problem : answer.error.code).toBe("cancelled");
    for (const name of ["child.pid", "parent.pid"]) {
      const pid = Number(await readFile(join(project.path, name), "utf8"));
      expect(isAlive(pid), name).toBe(false);
    }
  });

  it("do not wait for what they leave running, and do not leave it running", async () => {
    await using project = await projectFolder();
    const host = hostIn(project.path);
    const command = "sleep 60 & echo $! > left.pid; echo started";
    const result = outputOf(await host.call("run_terminal_command", { command }));
    expect(result).toMatchObject({ exitCode: 0, stdout: "started\n" });
    expect(result.durationMs).toBeLessThan(30_000);
    const pid = Number(await project.text("left.pid"));
    await until(async () => !isAlive(pid));
  });
});

describe("searching", () => {
  const files = {
    ".gitignore": "dist/\n*.log\n!keep.log\n",
    "src/a.ts": "const needle = 1;\nconst Needle = 2;\n",
    "src/deep/.gitignore": "local.ts\n",
    "src/deep/local.ts": "needle",
    "src/deep/b.ts": "needle();\n",
    "dist/a.js": "needle",
    "x.log": "needle",
    "keep.log": "needle",
    "node_modules/m/index.js": "needle",
    ".env": "needle=1",
    "a.bin": Buffer.from("needle\u0000"),
  };

  it("leaves out what is ignored, secret or binary", async () => {
    await using project = await projectFolder(files);
    const host = hostIn(project.path, { environment: { PATH: "" } });
    const found = outputOf(await host.call("code_search", { pattern: "needle" }));
    expect(found.matches.map(({ path, line }) => `${path}:${line}`)).toEqual([
      "keep.log:1",
      "src/a.ts:1",
      "src/deep/b.ts:1",
    ]);
    const scoped = { pattern: "NEEDLE", ignoreCase: true, glob: "**/*.ts", cwd: "src", maxResults: 2 };
    expect(outputOf(await host.call("code_search", scoped))).toEqual({
      matches: [
        { path: "src/a.ts", line: 1, text: "const needle = 1;" },
        { path: "src/a.ts", line: 2, text: "const Needle = 2;" },
      ],
      isCut: true,
    });
    const listed = outputOf(await host.call("find_files", { glob: "**/*.{ts,log}" }));
    expect(listed).toEqual({ paths: ["keep.log", "src/a.ts", "src/deep/b.ts"], isCut: false });
    expect(outputOf(await host.call("find_files", { glob: "*.ts", maxResults: 1 }))).toEqual({
      paths: ["src/a.ts"],
      isCut: true,
    });
  });

  it("shows no secret through a link either", async () => {
    await using project = await projectFolder({ ".ssh/config": "needle", ".env": "needle" });
    await symlink(".ssh", join(project.path, "folder"));
    await symlink(".env", join(project.path, "settings.txt"));
    const host = hostIn(project.path, { environment: { PATH: "" } });
    for (const cwd of ["folder", "settings.txt", ".ssh"])
      expect(await host.call("code_search", { pattern: "needle", cwd })).toMatchObject(
        failure("secret_file"),
      );
    expect(outputOf(await host.call("code_search", { pattern: "needle" })).matches).toEqual([]);
  });

  it("cuts long lines between characters", async () => {
    await using project = await projectFolder({ "a.txt": `x${"😀".repeat(400)}` });
    const host = hostIn(project.path, { environment: { PATH: "" } });
    const { matches } = outputOf(await host.call("code_search", { pattern: "x" }));
    expect(matches[0]!.text).toHaveLength(301);
    expect(matches[0]!.text.isWellFormed()).toBe(true);
  });

  it("names a pattern that is none, and survives one that would take for ever", async () => {
    await using project = await projectFolder({ "a.txt": `${"a".repeat(200)}!` });
    const host = hostIn(project.path, { environment: { PATH: "" } });
    expect(await host.call("code_search", { pattern: "(" })).toMatchObject(failure("invalid_input"));
    const startedAt = performance.now();
    const endless = await host.call("code_search", { pattern: "(a+)+$" }, { timeoutMs: 1000 });
    expect(endless.ok).toBe(false);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });

  it("survives a glob that would take for ever, also a hook's", async () => {
    const [path, filePattern] = ["a".repeat(240), "*a*a*a*a*a*b"];
    const config = { fileChangeHooks: [{ name: "endless", command: "true", filePattern }] };
    await using project = await projectFolder({ [path]: "", "bursar.json": JSON.stringify(config) });
    const host = hostIn(project.path);
    const startedAt = performance.now();
    const found = await host.call("find_files", { glob: filePattern }, { timeoutMs: 500 });
    const ran = await host.call("run_file_change_hooks", { files: [path] }, { timeoutMs: 500 });
    expect([found.ok, ran.ok]).toEqual([false, false]);
    expect(performance.now() - startedAt).toBeLessThan(30_000);
  });

  it("uses ripgrep where there is one, and still shows no secret", async () => {
    await using project = await projectFolder({ "a.ts": "needle" });
    await using tools = await projectFolder();
    const event = (path: string) =>
      JSON.stringify({
        type: "match",
        data: { path: { text: path }, lines: { text: "needle\n" }, line_number: 4 },
      });
    const script = `#!/bin/sh\ncat <<'END'\n{"type":"begin","data":{}}\n${event("./a.ts")}\n${event(".env")}\nEND\necho "$@" > ${tools.path}/asked\n`;
    await writeFile(join(tools.path, "rg"), script, { mode: 0o755 });
    const host = hostIn(project.path, { environment: { PATH: `${tools.path}:/usr/bin:/bin` } });
    const found = outputOf(await host.call("code_search", { pattern: "-needle" }));
    expect(found).toEqual({ matches: [{ path: "a.ts", line: 4, text: "needle" }], isCut: false });
    expect(await tools.text("asked")).toContain("--regexp -needle -- .");
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const startedAt = performance.now(); !(await isSo()); ) {
    if (performance.now() - startedAt > 30_000) throw new Error("it did not happen within 30 seconds");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  return !isZombie(pid);
}

/** Killed, but its new parent has not looked yet. */
function isZombie(pid: number): boolean {
  try {
    return / Z /.test(process.getBuiltinModule("node:fs").readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return true;
  }
}
