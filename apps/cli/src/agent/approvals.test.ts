import type { Question } from "@bursar/client/agent/approve";
import { expect, test } from "vitest";
import { createPaint } from "../output/paint.ts";
import { createApprove } from "./approvals.ts";

// oxlint-disable-next-line no-control-regex -- these are exactly what must not reach the terminal
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202e]/;

const rules = { isYes: false, allowed: [], remembered: new Set<string>() };

/** What a person reads before the answer. */
async function shownOf(question: Question): Promise<string> {
  const said: string[] = [];
  const approve = createApprove(rules, null, (text) => said.push(text), createPaint(false));
  expect(await approve(question, new AbortController().signal)).toBe(false);
  return said[0]!;
}

test("a question shows all that would run, also what a terminal would take for its own", async () => {
  const hidden = [
    "\u001b];make;#\u0007",
    "\u009b;make;#\u0007",
    "\u001b[8m;make",
    "\b\b\b;make",
    "\u202e;make",
  ];
  for (const part of hidden) {
    const command = `npm test ${part}`;
    for (const question of [
      { kind: "command", command, cwd: "." },
      { kind: "hook", name: `types ${part}`, command, cwd: "." },
    ] as const) {
      const shown = await shownOf(question);
      expect(shown, JSON.stringify(command)).toContain("make");
      expect(shown).not.toMatch(STEERING);
    }
  }
  expect(await shownOf({ kind: "secret", path: "\u001b];.env;#\u0007", purpose: "read" })).toContain(".env");
});
