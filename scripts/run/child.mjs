import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { constants } from "node:os";

const isWindows = process.platform === "win32";

/** One Ctrl-C reaches us up to three times: from the terminal, from npm, and from a shell between the two. */
const ECHO_MILLISECONDS = 500;

const NPM_POLL_MILLISECONDS = 1000;

/** Runs a program to its end and gives its exit code; 128 plus the signal's number when a signal ended it.
 *  It has a process group of its own, so that a terminal's Ctrl-C reaches it only through us, once, and it can end in
 *  its own time. Should we or npm be killed outright, it is told to end, so that no process stays behind. */
export function runChild(program, args, env) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: "inherit", env, detached: !isWindows });
    const releases = [forwardSignals(child), watchForOurDeath(child), watchForNpmsDeath(child)];
    const finish = (code) => {
      for (const release of releases) release();
      resolve(code);
    };
    child.on("error", (error) => {
      console.error(`cannot run ${program}: ${error.message}`);
      finish(127);
    });
    child.on("exit", (code, signal) => finish(code ?? 128 + constants.signals[signal]));
  });
}

function forwardSignals(child) {
  const forwarded = { SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGTERM" };
  const lastAt = new Map();
  const forward = (signal) => {
    const isEcho = performance.now() - (lastAt.get(signal) ?? Number.NEGATIVE_INFINITY) < ECHO_MILLISECONDS;
    lastAt.set(signal, performance.now());
    if (!isEcho) child.kill(forwarded[signal]);
  };
  for (const signal of Object.keys(forwarded)) process.on(signal, forward);
  return () => {
    for (const signal of Object.keys(forwarded)) process.off(signal, forward);
  };
}

/** A shell waits for the end of a pipe from us: the kernel closes that even after kill -9. */
function watchForOurDeath(child) {
  if (isWindows || child.pid === undefined) return () => {};
  const script = 'read -r line; kill -TERM "$1"';
  const watcher = spawn("/bin/sh", ["-c", script, "bursar-watch", String(child.pid)], {
    stdio: ["pipe", "ignore", "ignore"],
    detached: true,
  });
  watcher.on("error", () => {});
  watcher.stdin?.on("error", () => {});
  return () => watcher.kill("SIGKILL");
}

/** npm that is killed outright takes nothing with it. Only npm is watched: whoever starts this script from a shell
 *  may well close that shell. */
function watchForNpmsDeath(child) {
  if (process.env.npm_lifecycle_event === undefined) return () => {};
  const npm = findNpm();
  const timer = setInterval(() => {
    if (findNpm() !== npm) child.kill("SIGTERM");
  }, NPM_POLL_MILLISECONDS);
  return () => clearInterval(timer);
}

/** npm starts us through `sh -c`, which some shells turn into us and others stay to wait for. Without /proc: our
 *  parent, whichever it is. */
function findNpm() {
  try {
    const isShell = readFileSync(`/proc/${process.ppid}/cmdline`, "utf8").split("\0")[1] === "-c";
    if (!isShell) return process.ppid;
    const status = readFileSync(`/proc/${process.ppid}/status`, "utf8");
    return Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]);
  } catch {
    return process.ppid;
  }
}
