import type { Change, Hunk } from "@bursar/client/agent/project/changes";
import type { AgentEvent } from "@bursar/contract/agent/events";
import type { ToolAnswer } from "@bursar/contract/agent/tool";
import { amount, count, counted, creditsText } from "../output/amount.ts";
import type { Paint } from "../output/paint.ts";
import type { BandWatch } from "./bands.ts";
import { diffText, printable } from "./diff.ts";
import { NewsTeller } from "./news.ts";
import type { AccountNews } from "./transport.ts";

/** Where things are shown: answers on stdout, everything about them on stderr. */
export interface Out {
  answer(text: string): void;
  remark(text: string): void;
}

/** Shows a run to a person, as it goes. */
export class Screen {
  readonly #out: Out;
  readonly #paint: Paint;
  readonly #bands: BandWatch;
  readonly #news: NewsTeller;
  readonly #names = new Map<string, string>();
  #rootId: string | null = null;
  /** Who is in the middle of a line, and where. */
  #open: string | null = null;

  constructor(out: Out, paint: Paint, bands: BandWatch) {
    this.#out = out;
    this.#paint = paint;
    this.#bands = bands;
    this.#news = new NewsTeller(bands, paint);
  }

  show(event: AgentEvent): void {
    switch (event.type) {
      case "agent-started":
        this.#rootId ??= event.agentId;
        this.#names.set(event.agentId, printable(event.agent));
        if (event.agentId !== this.#rootId)
          this.#line(`▸ ${printable(event.agent)}: ${firstLine(event.prompt)}`);
        return;
      case "text":
        return this.#text(event.agentId, event.text);
      case "tool-call":
        return this.#call(event);
      case "tool-result":
        return this.#result(event);
      case "subgoals":
        for (const { objective, status } of event.subgoals)
          this.#line(`  ${MARKS[status]} ${printable(objective)}`);
        return;
      case "step-cost":
        return this.#cost(event);
      case "agent-ended":
        return this.#ended(event);
      case "reasoning":
    }
  }

  changed(change: Change, hunks: readonly Hunk[] | null): void {
    this.#break();
    this.#out.remark(`${diffText(change, hunks, this.#paint)}\n`);
  }

  /** What happens to the account meanwhile. */
  tell(news: AccountNews): void {
    for (const line of this.#news.linesOf(news)) this.#line(line);
  }

  /** Something else that is to be read, on a line of its own. */
  say(text: string): void {
    this.#break();
    this.#out.remark(`${text}\n`);
  }

  /** The answer goes to stdout; what other agents say, to stderr, a line at a time under their name. */
  #text(agentId: string, text: string): void {
    const isRoot = agentId === this.#rootId;
    const said = printable(text);
    if (this.#open !== agentId) {
      this.#break();
      if (!isRoot) this.#out.remark(this.#paint.dim(`${this.#names.get(agentId) ?? "agent"}: `));
    }
    this.#open = said.endsWith("\n") ? null : agentId;
    if (isRoot) this.#out.answer(said);
    else this.#out.remark(this.#paint.dim(said));
  }

  #call({ toolName, input }: Extract<AgentEvent, { type: "tool-call" }>): void {
    if (SILENT.has(toolName)) return;
    this.#line(`· ${printable(toolName)} ${summary(input)}`);
  }

  #result({ toolName, answer }: Extract<AgentEvent, { type: "tool-result" }>): void {
    if (!answer.ok)
      return this.#line(this.#paint.yellow(`  ${answer.error.code}: ${firstLine(answer.error.message)}`));
    if (toolName === "run_file_change_hooks") for (const line of this.#hookLines(answer)) this.#line(line);
    if (toolName === "run_terminal_command") this.#line(endOfCommand(answer));
  }

  #hookLines(answer: Extract<ToolAnswer, { ok: true }>): string[] {
    const { results = [], message } = answer.output as {
      results?: { hookName: string; exitCode: number | null; problem?: string; durationMs: number }[];
      message?: string;
    };
    const lines = results.map(({ hookName, exitCode, problem, durationMs }) => {
      const seconds = `${(durationMs / 1000).toFixed(1)} s`;
      if (exitCode === 0) return this.#paint.green(`  ✓ ${printable(hookName)} (${seconds})`);
      return this.#paint.red(`  ✗ ${printable(hookName)}: ${howItEnded(exitCode, problem)} (${seconds})`);
    });
    return message === undefined ? lines : [...lines, `  ${printable(message)}`];
  }

  #cost({
    agentId,
    step,
    cost,
    total,
    remaining,
    inputTokens,
    outputTokens,
  }: Extract<AgentEvent, { type: "step-cost" }>): void {
    const who = agentId === this.#rootId ? "" : `${this.#names.get(agentId) ?? "agent"} `;
    const left = remaining === null ? "" : `, ${amount(remaining)} left`;
    const tokens = `${count(inputTokens)} + ${count(outputTokens)} tokens`;
    this.#line(
      this.#paint.dim(
        `  ${who}step ${step}: ${creditsText(cost)} for ${tokens}, ${amount(total)} in total${left}`,
      ),
    );
    if (this.#news.knowsBalance) return;
    const band = remaining === null ? null : this.#bands.take(remaining, this.#paint);
    if (band !== null) this.#line(band);
  }

  #ended({ agentId, ending, message, cost, steps }: Extract<AgentEvent, { type: "agent-ended" }>): void {
    if (agentId !== this.#rootId) return this.#break();
    if (ending !== "done")
      this.#line(this.#paint.yellow(`Ended early (${ending}): ${printable(message ?? "")}`.trimEnd()));
    this.#line(this.#paint.dim(`${creditsText(cost)}, ${counted(steps, "step")}`));
  }

  #line(text: string): void {
    this.#break();
    this.#out.remark(`${text}\n`);
  }

  #break(): void {
    if (this.#open === null) return;
    if (this.#open === this.#rootId) this.#out.answer("\n");
    else this.#out.remark("\n");
    this.#open = null;
  }
}

/** Shown by what they do, or by nothing. */
const SILENT: ReadonlySet<string> = new Set([
  ...["write_file", "str_replace", "create_plan", "spawn_agents"],
  ...["add_subgoal", "update_subgoal", "add_message", "end_turn"],
]);

const MARKS = { not_started: "☐", in_progress: "▸", completed: "☑", aborted: "☒" } as const;
const SUMMARY_CHARACTERS = 120;

/** The values of a call, without the names of its fields. */
function summary(input: unknown): string {
  if (typeof input !== "object" || input === null) return "";
  return firstLine(
    Object.values(input)
      .map((value) => (typeof value === "string" ? value : JSON.stringify(value)))
      .join(" "),
  );
}

function firstLine(text: string): string {
  const [line = ""] = text.split("\n");
  const isCut = line.length > SUMMARY_CHARACTERS || line.length < text.length;
  return printable(isCut ? `${line.slice(0, SUMMARY_CHARACTERS)}…` : line);
}

function endOfCommand(answer: Extract<ToolAnswer, { ok: true }>): string {
  const { exitCode, problem, durationMs } = answer.output as {
    exitCode: number | null;
    problem?: string;
    durationMs: number;
  };
  return `  ${howItEnded(exitCode, problem)} (${(durationMs / 1000).toFixed(1)} s)`;
}

function howItEnded(exitCode: number | null, problem: string | undefined): string {
  return problem === undefined ? `exit ${exitCode}` : printable(problem);
}
