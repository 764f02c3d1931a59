import type { Script } from "@bursar/sandbox/model/scripts";

/** A project whose test fails, with the hooks that show it. */
export const FAILING_PROJECT = {
  "bursar.json": JSON.stringify({
    fileChangeHooks: [
      { name: "typecheck", command: "node --check sum.mjs", filePattern: "**/*.mjs" },
      { name: "test", command: "node test.mjs", filePattern: "**/*.mjs" },
    ],
  }),
  "sum.mjs": "export function sum(a, b) {\n  return a - b;\n}\n",
  "test.mjs":
    'import { sum } from "./sum.mjs";\nconst got = sum(2, 3);\nif (got !== 5) throw new Error(`expected 5, got ${got}`);\n',
};

export const TASK =
  "The test of this project fails: run it with `node test.mjs`. Make it pass by mending sum.mjs.";

const replace = (old: string, next: string) => ({
  name: "str_replace",
  arguments: { path: "sum.mjs", replacements: [{ old, new: next }] },
});
const review = {
  name: "spawn_agents",
  arguments: { agents: [{ agent: "reviewer", prompt: "sum.mjs should make test.mjs pass" }] },
};

/** A model that errs first. It reads what it is told: each answer follows from what the project really did. In its
 *  turns it names the review before the change, so that the order is not its doing. */
export const FALLIBLE_CODER: Script = {
  when: "You are the coder",
  mode: "rules",
  replies: [
    {
      where: { turn: 0 },
      content: "I look at the code first.",
      tool_calls: [{ name: "read_files", arguments: { paths: ["sum.mjs", "test.mjs"] } }],
    },
    {
      where: { last: "return a - b" },
      content: "It should multiply.",
      tool_calls: [review, replace("a - b", "a * b")],
    },
    {
      where: { last: "expected 5, got 6" },
      content: "No: it should add.",
      tool_calls: [review, replace("a * b", "a + b")],
    },
    {
      where: { last: "Both hooks pass" },
      content: "sum adds again, and the test passes.",
      tool_calls: [{ name: "end_turn", arguments: {} }],
    },
  ],
};

export const REVIEWER: Script = {
  when: "You are the reviewer",
  mode: "rules",
  replies: [
    {
      where: { last: "expected 5, got 6" },
      content: "The hook test fails: expected 5, got 6. Use a + b in sum.mjs:2.",
    },
    { where: { last: '"exitCode":0' }, content: "Both hooks pass." },
  ],
};
