import type { Ending } from "@bursar/contract/agent/events";
import { changesFiles, type ToolName } from "@bursar/contract/agent/tools";
import type { Subgoal } from "@bursar/contract/agent/tools/subgoal";
import type { MicroCredits } from "@bursar/contract/money";
import type { ModelMessage } from "ai";
import type { AgentDefinition } from "./agents/definition.ts";
import type { DenialCode } from "./bill/billing.ts";
import { type Journal, NO_JOURNAL } from "./journal.ts";
import type { RunDeps } from "./ports.ts";

/** What an agent leaves behind. */
export interface AgentReport {
  readonly ending: Ending;
  /** Why, when it is not `done`. */
  readonly message: string | null;
  /** The error's name, where it ended for one that REST v1 knows. */
  readonly code: DenialCode | null;
  /** Its last words. */
  readonly text: string;
  /** What it set with set_output; null when it did not. */
  readonly output: Readonly<Record<string, unknown>> | null;
  /** Credits, its own agents' included. */
  readonly cost: MicroCredits;
  readonly steps: number;
}

/** A tool call that was carried out, by whichever agent of the run. */
interface DoneCall {
  readonly toolName: ToolName;
  readonly input: unknown;
  readonly isOk: boolean;
}

interface RunFacts {
  readonly runId: string;
  readonly model: string;
  readonly signal: AbortSignal;
}

/** Has an agent of a run do its task, to its end. Throws: Suspended. */
type Loop = (run: Run, task: Task) => Promise<AgentReport>;

/** What the agents of one run share. */
export class Run {
  readonly deps: RunDeps;
  readonly runId: string;
  readonly model: string;
  readonly signal: AbortSignal;
  readonly calls: DoneCall[] = [];
  readonly subgoals: Subgoal[] = [];
  readonly journal: Journal;
  readonly #loop: Loop;
  total: MicroCredits;

  constructor(deps: RunDeps, { runId, model, signal }: RunFacts, loop: Loop) {
    this.deps = deps;
    this.runId = runId;
    this.model = model;
    this.signal = signal;
    this.journal = deps.journal ?? NO_JOURNAL;
    this.#loop = loop;
    this.total = this.journal.cut;
  }

  /** For the first agent as for those that agents spawn. Throws: Suspended. */
  perform(task: Task): Promise<AgentReport> {
    return this.#loop(this, task);
  }

  /** The files of the run's write_file, str_replace and create_plan calls that went well. */
  changedFiles(): string[] {
    const paths = this.calls
      .filter(({ toolName, isOk }) => isOk && changesFiles(toolName))
      .map(({ input }) => (input as { path: string }).path);
    return [...new Set(paths)];
  }
}

/** One agent at work in a run. */
export interface Task {
  readonly agentId: string;
  readonly parentId: string | null;
  readonly definition: AgentDefinition;
  readonly prompt: string;
  readonly stepLimit: number;
  readonly depth: number;
  readonly messages: ModelMessage[];
  /** Messages that its tools have added, read at the next step. */
  readonly added: ModelMessage[];
  output: Readonly<Record<string, unknown>> | null;
  /** Credits so far, its own agents' included. */
  cost: MicroCredits;
  /** How many agents it has spawned. */
  spawned: number;
}

type NewTask = Pick<Task, "definition" | "prompt" | "stepLimit"> & {
  readonly parent: Task | null;
  readonly history: readonly ModelMessage[];
};

/** Agents are named after who spawned them, `a1`, `a1-1`, `a1-2`, so that their names are the same whenever the same
 *  run is gone through again. */
export function newTask({ journal }: Run, { parent, history, ...facts }: NewTask): Task {
  const messages: ModelMessage[] = [...history, { role: "user", content: facts.prompt }];
  const fresh = { ...facts, messages, added: [], output: null, spawned: 0 };
  if (parent === null) return { ...fresh, agentId: "a1", parentId: null, depth: 0, cost: journal.cut };
  parent.spawned += 1;
  const { agentId: parentId, spawned, depth } = parent;
  return { ...fresh, agentId: `${parentId}-${spawned}`, parentId, depth: depth + 1, cost: 0n };
}
