import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { isSecret } from "../project/secrets.ts";
import { type Found, type Match, type Search, shownLine } from "./search.ts";

interface Event {
  readonly type: string;
  readonly data: {
    readonly path?: { readonly text?: string };
    readonly lines?: { readonly text?: string };
    readonly line_number?: number;
  };
}

/** Searches with ripgrep. null where there is none on this machine. */
export async function searchWithRipgrep(
  search: Search,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<Found | null> {
  const child = spawn("rg", argumentsFor(search), {
    cwd: search.root,
    env: environment,
    stdio: ["ignore", "pipe", "pipe"],
    signal,
  });
  const { promise: ended, resolve } = Promise.withResolvers<{ code: number | null } | "absent" | "stopped">();
  child.on("error", (error: NodeJS.ErrnoException) =>
    resolve(error.code === "ENOENT" ? "absent" : "stopped"),
  );
  child.on("close", (code) => resolve({ code }));
  let complaint = "";
  child.stderr.on("data", (bytes: Buffer) => {
    if (complaint.length < 2000) complaint += bytes.toString("utf8");
  });
  const matches: Match[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    const match = matchIn(line);
    if (match === null || isSecret(match.path)) continue;
    if (matches.length === search.maxResults) {
      child.kill();
      return { kind: "found", matches, isCut: true };
    }
    matches.push(match);
  }
  const end = await ended;
  if (end === "absent") return null;
  if (end === "stopped") return { kind: "failed", message: "The search was stopped" };
  if (end.code === 2 && matches.length === 0) return { kind: "invalid", message: complaint.trim() };
  return { kind: "found", matches, isCut: false };
}

function argumentsFor({ pattern, ignoreCase, glob, start }: Search): string[] {
  return [
    ...["--json", "--no-config", "--no-messages", "--hidden", "--sort", "path", "--max-filesize", "1M"],
    ...["--glob", "!.git/"],
    ...(ignoreCase ? ["--ignore-case"] : []),
    ...(glob === undefined ? [] : ["--glob", glob]),
    ...["--regexp", pattern, "--", start],
  ];
}

function matchIn(line: string): Match | null {
  const { type, data } = JSON.parse(line) as Event;
  const path = data.path?.text?.replaceAll("\\", "/").replace(/^\.\//, "");
  if (type !== "match" || path === undefined || data.lines?.text === undefined) return null;
  return { path, line: data.line_number ?? 0, text: shownLine(data.lines.text) };
}
