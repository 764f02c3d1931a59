import type { Approve, Question } from "@bursar/client/agent/approve";
import type { Paint } from "../output/paint.ts";
import { printable } from "./diff.ts";
import type { Keyboard } from "./keys.ts";

export interface ApprovalRules {
  /** Commands and hooks run without a question; secrets stay closed. */
  readonly isYes: boolean;
  /** Commands that are allowed: as they are, or with * for anything that does not chain another command. */
  readonly allowed: readonly string[];
  /** Remembered over the prompts of one conversation. */
  readonly remembered: Set<string>;
}

/** Decides by the rules, else asks at the keyboard; without one the answer is no, and that is said. */
export function createApprove(
  rules: ApprovalRules,
  keyboard: Keyboard | null,
  say: (text: string) => void,
  paint: Paint,
): Approve {
  // One question at a time, whoever asks.
  let last: Promise<unknown> = Promise.resolve();
  const decide = async (question: Question, signal: AbortSignal): Promise<boolean> => {
    say(shown(question, paint));
    if (isAllowed(question, rules)) return true;
    if (keyboard === null) {
      say(
        paint.yellow(
          `  Not allowed: nobody can be asked here${question.kind === "secret" ? "" : " (see --yes, --allow)"}.`,
        ),
      );
      return false;
    }
    const canRemember = question.kind !== "secret";
    say(
      paint.bold(
        canRemember ? "  Allow? [y]es, [n]o, [a]lways in this conversation" : "  Allow? [y]es, [n]o",
      ),
    );
    const letter = await keyboard.ask(canRemember ? "yna" : "yn", signal);
    if (letter === "a") rules.remembered.add(nameOf(question));
    say(letter === "n" ? "  no" : "  yes");
    return letter !== "n";
  };
  return (question, signal) => {
    const decided = last.then(() => decide(question, signal));
    last = decided.catch(() => undefined);
    return decided;
  };
}

function isAllowed(question: Question, { isYes, allowed, remembered }: ApprovalRules): boolean {
  if (question.kind === "secret") return false;
  if (isYes || remembered.has(nameOf(question))) return true;
  return allowed.some((pattern) => matches(pattern, question.command));
}

/** What could chain, redirect or substitute another command is never part of a *. */
function matches(pattern: string, command: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^;&|`$()<>\\n\\\\]*")}$`).test(command);
}

/** A hook whose command has been changed is another hook. */
function nameOf(question: Question): string {
  return JSON.stringify(question);
}

function shown(question: Question, paint: Paint): string {
  switch (question.kind) {
    case "secret":
      return paint.yellow(`! ${question.purpose} ${printable(question.path)}, which may hold secrets`);
    case "hook":
      return `$ ${printable(question.command)} ${paint.dim(`(hook ${printable(question.name)}, in ${printable(question.cwd)})`)}`;
    case "command":
      return `$ ${printable(question.command)} ${paint.dim(`(in ${printable(question.cwd)})`)}`;
  }
}
