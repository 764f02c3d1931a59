import { z } from "zod";
import { type ChatRequest, textOf } from "./chat/request.ts";
import { readFaultWords } from "./directive.ts";

function isDirective(words: string): boolean {
  return readFaultWords(words).kind === "read";
}

/** When a reply of a script of `rules` fits. */
const where = z.strictObject({
  /** What has come since the model last spoke, such as the answers of tools, contains this text. */
  last: z.string().optional(),
  /** The conversation contains so many messages of the model. */
  turn: z.int().min(0).optional(),
});

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
  where: where.optional(),
});

export const scriptSchema = z.strictObject({
  /** Only conversations that contain this text; without it, every conversation. */
  when: z.string().optional(),
  /** `queue`: each reply is used once. `turns`: the reply is chosen by how many assistant messages the
   *  conversation already holds, so that retries and parallel runs of the same task all work. `rules`: the first
   *  reply whose `where` fits what the model is told, so that it answers what really happened. */
  mode: z.enum(["queue", "turns", "rules"]).default("queue"),
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
        const reply = replyOf(script, request);
        if (reply) return reply;
      }
      return undefined;
    },
  };
}

function replyOf(
  { mode, replies }: z.output<typeof scriptSchema>,
  request: ChatRequest,
): ScriptedReply | undefined {
  switch (mode) {
    case "queue":
      return replies.shift();
    case "turns":
      return replies[turnOf(request)];
    case "rules":
      return replies.find((reply) => fits(reply.where ?? {}, request));
  }
}

function fits({ last, turn }: z.infer<typeof where>, request: ChatRequest): boolean {
  const spoke = request.messages.findLastIndex((message) => message.role === "assistant");
  const news = request.messages.slice(spoke + 1).map(textOf);
  const isNews = last === undefined || news.some((text) => text.includes(last));
  return isNews && (turn === undefined || turn === turnOf(request));
}

function concerns(when: string | undefined, request: ChatRequest): boolean {
  return when === undefined || request.messages.some((message) => textOf(message).includes(when));
}

function turnOf(request: ChatRequest): number {
  return request.messages.filter((message) => message.role === "assistant").length;
}
