import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";

export const PROGRAM = fileURLToPath(new URL("../../bin/bursar.mjs", import.meta.url));

export interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly folder?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly nodeOptions?: readonly string[];
}

/** Runs the command as its users do: a process of its own, with nothing but this environment. */
export async function bursar(args: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { folder = tmpdir(), environment = {}, stdin = "", nodeOptions = [] } = options;
  const env = { PATH: process.env["PATH"], HOME: process.env["HOME"], ...environment };
  const child = spawn(process.execPath, [...nodeOptions, PROGRAM, ...args], { cwd: folder, env });
  child.stdin.on("error", () => undefined);
  child.stdin.end(stdin);
  const { promise, resolve } = Promise.withResolvers<number | null>();
  child.on("close", resolve);
  const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), promise]);
  return { code, stdout, stderr };
}

export interface SandboxFolder extends AsyncDisposable {
  readonly path: string;
}

/** A folder in which a sandbox runs, or ran: with its file, or with this text instead. */
export async function sandboxFolder(content: object | string): Promise<SandboxFolder> {
  const path = await mkdtemp(join(tmpdir(), "bursar-cli-"));
  await mkdir(join(path, ".bursar"));
  const file = typeof content === "string" ? content : JSON.stringify(content);
  await writeFile(join(path, ".bursar", "sandbox.json"), file);
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
