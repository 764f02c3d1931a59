import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { ClientTools } from "@bursar/contract/agent/client-tools";
import type { ToolAnswer } from "@bursar/contract/agent/tool";
import type { ClientToolName, ToolInput, ToolOutput } from "@bursar/contract/agent/tools";
import type { Question } from "../approve.ts";
import { createProjectTools, type ProjectToolsOptions } from "../project-tools.ts";

export interface ProjectFolder extends AsyncDisposable {
  readonly path: string;
  put(path: string, content: string | Uint8Array): Promise<void>;
  text(path: string): Promise<string>;
}

/** A folder of its own, with these files. */
export async function projectFolder(
  files: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<ProjectFolder> {
  const path = await realpath(await mkdtemp(join(tmpdir(), "bursar-project-")));
  const put = async (name: string, content: string | Uint8Array) => {
    await mkdir(dirname(join(path, name)), { recursive: true });
    await writeFile(join(path, name), content);
  };
  for (const [name, content] of Object.entries(files)) await put(name, content);
  return {
    path,
    put,
    text: (name) => readFile(join(path, name), "utf8"),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

export interface Host {
  readonly tools: ClientTools;
  readonly questions: Question[];
  call<Name extends ClientToolName>(
    toolName: Name,
    input: ToolInput<Name>,
    options?: { signal?: AbortSignal; timeoutMs?: number },
  ): Promise<ToolAnswer<ToolOutput<Name>>>;
}

/** The tools of a project, whose person says yes to everything unless told otherwise. */
export function hostIn(folder: string, options: Partial<ProjectToolsOptions> = {}): Host {
  const questions: Question[] = [];
  const tools = createProjectTools({
    folder,
    environment: process.env,
    approve: async (question) => {
      questions.push(question);
      return true;
    },
    ...options,
  });
  let calls = 0;
  return {
    tools,
    questions,
    call: async (toolName, input, { signal = new AbortController().signal, timeoutMs = 15_000 } = {}) => {
      calls += 1;
      const answer = await tools.call({ requestId: `call-${calls}`, toolName, input, timeoutMs, signal });
      // The tool's own result type: the contract's schema, checked where it is shown.
      return answer as ToolAnswer<never>;
    },
  };
}

/** The output of a call that must have gone well. */
export function outputOf<Output>(answer: ToolAnswer<Output>): Output {
  if (!answer.ok) throw new Error(`${answer.error.code}: ${answer.error.message}`);
  return answer.output;
}
