import type OpenAI from "openai";
import { expect, test } from "vitest";
import { useSandboxModel } from "../testing.ts";

const used = await useSandboxModel();

type Messages = OpenAI.ChatCompletionMessageParam[];
const tools: OpenAI.ChatCompletionTool[] = [
  { type: "function", function: { name: "anything", parameters: {} } },
];

async function say(messages: Messages) {
  const completion = await used.client.chat.completions.create({ model: "sandbox-coder", messages, tools });
  return completion.choices[0]!.message;
}

/** Lets it work to the end of its turn, with these answers of its tools, in order. */
async function work(order: string, answers: readonly object[]) {
  const messages: Messages = [
    { role: "system", content: "You are the coder" },
    { role: "user", content: order },
  ];
  const made: [string, unknown][] = [];
  for (let turn = 0; turn < 10; turn += 1) {
    const message = await say(messages);
    messages.push(message);
    for (const { id, ...called } of message.tool_calls ?? []) {
      if (called.type !== "function") continue;
      made.push([called.function.name, JSON.parse(called.function.arguments)]);
      messages.push({
        role: "tool",
        tool_call_id: id,
        content: JSON.stringify(answers[made.length - 1] ?? {}),
      });
    }
    if (message.tool_calls === undefined || made.at(-1)?.[0] === "end_turn")
      return { made, text: message.content };
  }
  throw new Error("it does not end");
}

test("the sandbox's coder follows orders, one a turn, has changes reviewed, and tells what came of it", async () => {
  const report = { reports: [{ text: "All hooks pass: test." }] };
  const { made, text } = await work(
    'replace "a - b" with "a + b" in sum.mjs\nwrite notes.txt: it adds, then run `npm test`',
    [{}, {}, {}, {}, report],
  );
  expect(made).toEqual([
    ["str_replace", { path: "sum.mjs", replacements: [{ old: "a - b", new: "a + b" }] }],
    ["read_files", { paths: ["notes.txt"] }],
    ["write_file", { path: "notes.txt", content: "it adds\n" }],
    ["run_terminal_command", { command: "npm test" }],
    ["spawn_agents", { agents: [{ agent: "reviewer", prompt: "Review the changes of this run." }] }],
    ["end_turn", {}],
  ]);
  expect(text).toBe("Done. The reviewer says: All hooks pass: test.");
});

test("it says what went wrong, and asks for no review when it changes nothing", async () => {
  const { made, text } = await work("Please read a.ts", [
    { error: { code: "x", message: "a.ts does not exist" } },
  ]);
  expect(made.map(([name]) => name)).toEqual(["read_files", "end_turn"]);
  expect(text).toBe("Not all of it was done. This did not work: a.ts does not exist");
});

test("what it does not understand is answered with what it does", async () => {
  expect((await work("Make everything better", [])).text).toContain('replace "old" with "new" in');
});

test("as the reviewer it reads the results of the hooks", async () => {
  const review = async (content: string) => {
    const hooks = {
      id: "1",
      type: "function" as const,
      function: { name: "run_file_change_hooks", arguments: "{}" },
    };
    const message = await say([
      { role: "system", content: "You are the reviewer: judge." },
      { role: "user", content: "Review" },
      { role: "assistant", tool_calls: [hooks] },
      { role: "tool", tool_call_id: "1", content },
    ]);
    return message.content;
  };
  const passed = { hookName: "types", exitCode: 0, stdout: "", stderr: "" };
  const failed = { hookName: "test", exitCode: 1, stdout: "", stderr: "at x\nError: expected 5, got 6\n" };
  expect(await review(JSON.stringify({ results: [passed] }))).toBe("All hooks pass: types.");
  expect(await review(JSON.stringify({ results: [passed, failed] }))).toBe(
    "The hook test fails: Error: expected 5, got 6",
  );
  expect(await review(JSON.stringify({ results: [], message: "None matched." }))).toBe(
    "Nothing was checked. None matched.",
  );
  expect(await review("not JSON")).toContain("Nothing was checked");
});
