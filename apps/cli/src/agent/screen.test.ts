import type { AgentEvent } from "@bursar/contract/agent/events";
import { expect, it } from "vitest";
import { createPaint } from "../output/paint.ts";
import { BandWatch } from "./bands.ts";
import { Screen } from "./screen.ts";

/** A title, a cleared screen, and words that are turned round. */
const EVIL = "\u001b]0;owned\u0007\u001b[2Jtext\u202edlrow";

it("lets nothing that a model, a server or a project says steer the terminal", () => {
  let shown = "";
  const take = (text: string) => {
    shown += text;
  };
  const screen = new Screen({ answer: take, remark: take }, createPaint(false), new BandWatch());
  const a1 = { agentId: "a1" };
  const call = { ...a1, callId: "c", toolName: "run_file_change_hooks" };
  const result = { hookName: EVIL, command: EVIL, stdout: "", stderr: "", exitCode: null, durationMs: 1 };
  const events: AgentEvent[] = [
    { type: "agent-started", ...a1, agent: "coder", model: "m", parentId: null, prompt: EVIL },
    { type: "agent-started", agentId: "a1-1", agent: EVIL, model: "m", parentId: "a1", prompt: EVIL },
    { type: "text", ...a1, text: EVIL },
    { type: "text", agentId: "a1-1", text: EVIL },
    { type: "tool-call", ...call, toolName: EVIL, input: { path: EVIL } },
    { type: "tool-result", ...call, answer: { ok: false, error: { code: "failed", message: EVIL } } },
    {
      ...{ type: "tool-result", ...call },
      answer: { ok: true, output: { results: [{ ...result, problem: EVIL }], message: EVIL } },
    },
    {
      ...{ type: "tool-result", ...call, toolName: "run_terminal_command" },
      answer: { ok: true, output: { ...result, problem: EVIL } },
    },
    { type: "subgoals", ...a1, subgoals: [{ id: "1", objective: EVIL, status: "in_progress", log: [] }] },
    { type: "agent-ended", ...a1, ending: "model_failed", message: EVIL, cost: "1", steps: 1 },
  ];
  for (const event of events) screen.show(event);
  screen.tell({ type: "payment", kind: "topup", state: "failed", credits: "1", url: null, message: EVIL });
  expect(shown).toContain("text");
  // oxlint-disable-next-line no-control-regex -- these are what must not be there
  expect(shown.match(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/g)).toBeNull();
});
