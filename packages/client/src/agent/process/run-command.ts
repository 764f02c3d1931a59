import { type ChildProcess, spawn } from "node:child_process";
import { statSync } from "node:fs";
import { CappedText } from "./capped-text.ts";

export interface CommandRequest {
  readonly command: string;
  /** Absolute. */
  readonly cwd: string;
  readonly timeoutSeconds: number;
  /** Of each of stdout and stderr. */
  readonly outputCharacters: number;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

export interface CommandResult {
  readonly stdout: string;
  readonly stderr: string;
  /** null when it was killed or never ran; then `problem` says why. */
  readonly exitCode: number | null;
  readonly durationMs: number;
  readonly problem?: string;
}

/** From being asked to end to being killed. */
const GRACE_MILLISECONDS = 1000;
/** How long output may still come after the command has ended: what it left running is not waited for. */
const LINGER_MILLISECONDS = 250;

/** Runs a shell command in a process group of its own, which ends with it: when it is over, out of time, or not wanted
 *  any more. Its stdin is closed and it has no terminal, so that it cannot wait for anybody. Never throws. */
export async function runCommand(request: CommandRequest): Promise<CommandResult> {
  const startedAt = performance.now();
  const stdout = new CappedText(request.outputCharacters);
  const stderr = new CappedText(request.outputCharacters);
  const { exitCode, problem } = await ended(request, stdout, stderr);
  return {
    stdout: stdout.text(),
    stderr: stderr.text(),
    exitCode,
    durationMs: Math.round(performance.now() - startedAt),
    ...(problem === undefined ? {} : { problem }),
  };
}

type Ended = { exitCode: number | null; problem: string | undefined };

function ended(request: CommandRequest, stdout: CappedText, stderr: CappedText): Promise<Ended> {
  const { command, cwd, environment, signal, timeoutSeconds } = request;
  if (signal.aborted) return Promise.resolve({ exitCode: null, problem: "cancelled before it began" });
  const { promise, resolve } = Promise.withResolvers<Ended>();
  let child: ReturnType<typeof start>;
  try {
    child = start(command, cwd, environment);
  } catch (error) {
    // Some failures are thrown: a folder that is a file, too large an environment, a NUL.
    return Promise.resolve({ exitCode: null, problem: notStarted(error, cwd) });
  }
  const killNow = () => killGroup(child, "SIGKILL");
  // When this process ends before, nobody else would.
  process.once("exit", killNow);
  let problem: string | undefined;
  const stop = (reason: string) => {
    problem ??= reason;
    killGroup(child, "SIGTERM");
    setTimeout(killNow, GRACE_MILLISECONDS).unref();
  };
  const onAbort = () => stop("cancelled");
  const timer = setTimeout(
    () => stop(`out of time after ${timeoutSeconds} seconds, and killed`),
    timeoutSeconds * 1000,
  );
  signal.addEventListener("abort", onAbort, { once: true });
  const finish = (exitCode: number | null, why?: string) => {
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    process.off("exit", killNow);
    // What it has left running in its group must not outlive it.
    killNow();
    child.stdout.destroy();
    child.stderr.destroy();
    resolve({ exitCode: problem === undefined ? exitCode : null, problem: problem ?? why });
  };
  child.stdout.on("data", (bytes: Buffer) => stdout.add(bytes));
  child.stderr.on("data", (bytes: Buffer) => stderr.add(bytes));
  child.on("error", (error) => finish(null, notStarted(error, cwd)));
  child.on("exit", (code, killedBy) => {
    const why = killedBy === null ? undefined : `ended by ${killedBy}`;
    const lingering = setTimeout(() => finish(code, why), LINGER_MILLISECONDS);
    child.on("close", () => {
      clearTimeout(lingering);
      finish(code, why);
    });
  });
  return promise;
}

function start(command: string, cwd: string, environment: NodeJS.ProcessEnv) {
  return spawn(command, {
    cwd,
    shell: true,
    env: withoutKeys(environment),
    detached: process.platform !== "win32",
    stdio: ["ignore", "pipe", "pipe"],
    windowsHide: true,
  });
}

function notStarted(error: unknown, cwd: string): string {
  // Told as a shell that is missing.
  const isFolder = statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true;
  const reason = error instanceof Error ? error.message : String(error);
  return `could not be started: ${isFolder ? reason : "its folder is not there"}`;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform !== "win32") process.kill(-child.pid, signal);
    else spawn("taskkill", ["/pid", String(child.pid), "/t", "/f"], { stdio: "ignore", windowsHide: true });
  } catch {
    // The group is gone, which is what was wanted.
  }
}

/** A command that an agent thought of does not get the credentials that we run with. */
function withoutKeys(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(([name]) => !/^BURSAR_.*(?:KEY|TOKEN|SECRET)/.test(name));
  return Object.fromEntries(kept);
}
