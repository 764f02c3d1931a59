import { z } from "zod";
import { type ChatRequest, textOf } from "./chat/request.ts";
import { readFaultWords } from "./directive.ts";

function isDirective(words: string): boolean {
  return readFaultWords(words).kind === "read";
}

const scriptedReply = z.strictObject({
  content: z.string().optional(),
  tool_calls: z
    .array(
      z.strictObject({
        name: z.string(),
        arguments: z.union([z.string(), z.record(z.string(), z.unknown())]),
      }),
    )
    .optional(),
  /** Words of a directive about how this reply is sent, such as `interval=20ms` or `cut_after=3`. */
  directive: z.string().refine(isDirective, "Unknown directive").optional(),
});

export const scriptSchema = z.strictObject({
  /** Only conversations that contain this text; without it, every conversation. */
  when: z.string().optional(),
  /** `queue`: each reply is used once. `turns`: the reply is chosen by how many assistant messages the
   *  conversation already holds, so that retries and parallel runs of the same task all work. */
  mode: z.enum(["queue", "turns"]).default("queue"),
  replies: z.array(scriptedReply).min(1),
});

export type Script = z.input<typeof scriptSchema>;
export type ScriptedReply = z.infer<typeof scriptedReply>;

export interface Scripts {
  add(script: Script): void;
  clear(): void;
  /** Scripts that still have replies, and how many. */
  list(): { when: string | null; mode: string; left: number }[];
  /** The reply of the first script that fits and has one; undefined when none has. */
  take(request: ChatRequest): ScriptedReply | undefined;
}

/** What `sandbox-scripted` will say. */
export function createScripts(): Scripts {
  let scripts: z.output<typeof scriptSchema>[] = [];
  return {
    add(script) {
      scripts.push(structuredClone(scriptSchema.parse(script)));
    },
    clear() {
      scripts = [];
    },
    list: () =>
      scripts
        .filter(({ replies }) => replies.length > 0)
        .map(({ when, mode, replies }) => ({ when: when ?? null, mode, left: replies.length })),
    take(request) {
      for (const script of scripts.filter((script) => concerns(script.when, request))) {
        const reply = script.mode === "queue" ? script.replies.shift() : script.replies[turnOf(request)];
        if (reply) return reply;
      }
      return undefined;
    },
  };
}

function concerns(when: string | undefined, request: ChatRequest): boolean {
  return when === undefined || request.messages.some((message) => textOf(message).includes(when));
}

function turnOf(request: ChatRequest): number {
  return request.messages.filter((message) => message.role === "assistant").length;
}
