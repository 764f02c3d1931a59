import { withoutDirectives } from "../directive.ts";
import type { ScriptedReply } from "../scripts.ts";
import { type ChatMessage, type ChatRequest, textOf } from "./request.ts";

type Call = NonNullable<ScriptedReply["tool_calls"]>[number];

/** One order in plain words, and the tool calls that carry it out, one a turn. */
interface Order {
  readonly calls: readonly Call[];
  readonly changes: boolean;
}

type Reading = readonly [pattern: RegExp, order: (...parts: string[]) => Order];

const call = (name: string, args: Record<string, unknown>): Call => ({ name, arguments: args });
const look = (one: Call): Order => ({ calls: [one], changes: false });

const READINGS: readonly Reading[] = [
  [
    /^write (\S+?):? ?[:=] ?(.+)$/is,
    (path = "", content = "") => ({
      // A file that is there must be read before it is replaced.
      calls: [call("read_files", { paths: [path] }), call("write_file", { path, content: `${content}\n` })],
      changes: true,
    }),
  ],
  [
    /^replace (["'`])(.+?)\1 (?:with|by) (["'`])(.*?)\3 in (\S+?)\.?$/is,
    (_quote, old = "", _other, next = "", path = "") => ({
      calls: [call("str_replace", { path, replacements: [{ old, new: next }] })],
      changes: true,
    }),
  ],
  [
    /^run (.+)$/is,
    (command = "") => look(call("run_terminal_command", { command: command.replace(/^`|`$/g, "") })),
  ],
  [/^read (\S+)$/i, (path = "") => look(call("read_files", { paths: [path] }))],
  [/^find (\S+)$/i, (glob = "") => look(call("find_files", { glob }))],
  [/^search (?:for )?(.+)$/i, (pattern = "") => look(call("code_search", { pattern }))],
];

const HELP = `I am the sandbox's coder. I think of nothing myself, but I follow orders, one a line:
  write notes.txt: some text
  replace "old" with "new" in src/file.ts
  read src/file.ts
  find **/*.ts
  search some words
  run npm test
After a change I have it reviewed. Another model does more: see --model.`;

/** What `sandbox-coder` says: it carries out the orders of the last user message, has its changes reviewed, and tells
 *  what came of it. As the reviewer it reads the results of the hooks. */
export function followOrders(request: ChatRequest): ScriptedReply {
  const { messages } = request;
  const isReviewer = messages.some(({ role }, at) => at === 0 && role !== "user") && isToldToReview(messages);
  if (isReviewer) return { content: reviewOf(messages) };
  const asked = messages.findLastIndex(({ role }) => role === "user");
  const orders = readOrders(asked < 0 ? "" : textOf(messages[asked]!));
  const calls = orders.flatMap((order) => order.calls);
  if (calls.length === 0 || request.tools === undefined) return { content: HELP };
  const since = messages.slice(asked + 1);
  const turn = since.filter(({ role }) => role === "assistant").length;
  const next = calls[turn];
  if (next !== undefined) return { content: turn === 0 ? "I follow the orders.\n" : "", tool_calls: [next] };
  if (turn === calls.length && orders.some(({ changes }) => changes)) return { tool_calls: [review] };
  return { content: outcomeOf(since), tool_calls: [call("end_turn", {})] };
}

const review = call("spawn_agents", {
  agents: [{ agent: "reviewer", prompt: "Review the changes of this run." }],
});

function isToldToReview(messages: readonly ChatMessage[]): boolean {
  return textOf(messages[0]!).startsWith("You are the reviewer");
}

function readOrders(text: string): Order[] {
  return withoutDirectives(text)
    .split(/\n|,? then /)
    .map((line) => line.trim().replace(/^(?:please|and) /i, ""))
    .flatMap((line) => {
      for (const [pattern, order] of READINGS) {
        const match = pattern.exec(line);
        if (match !== null) return [order(...match.slice(1))];
      }
      return [];
    });
}

function outcomeOf(since: readonly ChatMessage[]): string {
  const answers = since.filter(({ role }) => role === "tool").map((message) => jsonOf(textOf(message)));
  const reports = answers.flatMap((answer) => (answer["reports"] as { text: string }[] | undefined) ?? []);
  const errors = answers.flatMap((answer) => (answer["error"] as { message: string } | undefined) ?? []);
  const review = reports.map(({ text }) => `The reviewer says: ${text}`);
  const trouble = errors.map(({ message }) => `This did not work: ${message}`);
  return [errors.length === 0 ? "Done." : "Not all of it was done.", ...trouble, ...review].join(" ");
}

interface HookResult {
  readonly hookName: string;
  readonly exitCode: number | null;
  readonly stderr: string;
  readonly stdout: string;
  readonly problem?: string;
}

function reviewOf(messages: readonly ChatMessage[]): string {
  const last = messages.findLast(({ role }) => role === "tool");
  const answer = last === undefined ? {} : jsonOf(textOf(last));
  const { results = [], message = "No hook ran." } = answer as { results?: HookResult[]; message?: string };
  const error = answer["error"] as { message: string } | undefined;
  if (error !== undefined) return `The hooks could not be run: ${error.message}`;
  if (results.length === 0) return `Nothing was checked. ${message}`;
  const failed = results.filter(({ exitCode }) => exitCode !== 0);
  if (failed.length === 0) return `All hooks pass: ${results.map(({ hookName }) => hookName).join(", ")}.`;
  return failed.map((result) => `The hook ${result.hookName} fails: ${whyOf(result)}`).join(" ");
}

function whyOf({ problem, stderr, stdout, exitCode }: HookResult): string {
  const lines = `${stderr}\n${stdout}`.split("\n").map((line) => line.trim());
  const telling =
    lines.find((line) => /error|fail|expected/i.test(line)) ?? lines.find((line) => line !== "");
  return problem ?? telling ?? `exit ${exitCode}`;
}

function jsonOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
