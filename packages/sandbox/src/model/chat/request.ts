import { z } from "zod";
import { type ApiError, invalidRequest } from "../errors.ts";
import { checkToolMessages } from "./toolmessages.ts";

const content = z.union([
  z.string(),
  z.array(z.looseObject({ type: z.string(), text: z.string().optional() })),
]);

const toolCall = z.looseObject({
  id: z.string(),
  function: z.looseObject({ name: z.string(), arguments: z.string() }),
});

const message = z.looseObject({
  role: z.enum(["developer", "system", "user", "assistant", "tool", "function"]),
  content: content.nullish(),
  tool_calls: z.array(toolCall).optional(),
  tool_call_id: z.string().optional(),
});

const tool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({ name: z.string(), parameters: z.record(z.string(), z.unknown()).optional() }),
});

const toolChoice = z.union([
  z.enum(["none", "auto", "required"]),
  z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: z.string() }) }),
]);

const responseFormat = z.looseObject({
  type: z.enum(["text", "json_object", "json_schema"]),
  json_schema: z.looseObject({ schema: z.unknown() }).optional(),
});

const chatRequest = z.looseObject({
  model: z.string(),
  messages: z.array(message).min(1),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  n: z.int().min(1).max(128).nullish(),
  tools: z.array(tool).optional(),
  tool_choice: toolChoice.optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: responseFormat.optional(),
});

export type ChatRequest = z.infer<typeof chatRequest>;
export type ChatMessage = ChatRequest["messages"][number];
export type ChatTool = NonNullable<ChatRequest["tools"]>[number];

export type Parsed<Value> = { kind: "request"; request: Value } | { kind: "bad"; failure: ApiError };

/** Outcomes, first match wins: bad (the field is named in `param`), request. */
export function parseChatRequest(body: Record<string, unknown>): Parsed<ChatRequest> {
  const parsed = parseWith(chatRequest, body);
  if (parsed.kind === "bad") return parsed;
  const failure = streamOptionsFailure(parsed.request) ?? checkToolMessages(parsed.request.messages);
  return failure ? { kind: "bad", failure } : parsed;
}

function streamOptionsFailure(request: ChatRequest): ApiError | undefined {
  if (!request.stream_options || request.stream) return undefined;
  const wording = "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
  return invalidRequest(wording, "stream_options");
}

/** Turns the first thing that does not fit a schema into OpenAI's way of saying so. */
export function parseWith<Value>(schema: z.ZodType<Value>, body: Record<string, unknown>): Parsed<Value> {
  const parsed = schema.safeParse(body);
  if (parsed.success) return { kind: "request", request: parsed.data };
  const issue = parsed.error.issues[0];
  const path = issue?.path ?? [];
  const param = path
    .map((key, at) => (typeof key === "number" ? `[${key}]` : `${at ? "." : ""}${String(key)}`))
    .join("");
  if (isMissing(body, path)) {
    const wording = `Missing required parameter: '${param}'.`;
    return { kind: "bad", failure: invalidRequest(wording, param, "missing_required_parameter") };
  }
  const code = issue?.code === "invalid_type" ? "invalid_type" : "invalid_value";
  return { kind: "bad", failure: invalidRequest(`Invalid '${param}': ${issue?.message}.`, param, code) };
}

function isMissing(body: unknown, path: readonly PropertyKey[]): boolean {
  let value = body;
  for (const key of path) {
    if (typeof value !== "object" || value === null) return false;
    value = Reflect.get(value, key);
  }
  return value === undefined;
}

/** The text of a message; pictures and sounds have none. */
export function textOf(message: ChatMessage): string {
  if (typeof message.content === "string") return message.content;
  return (message.content ?? []).map((part) => part.text ?? "").join("");
}

export function lastUserText(messages: readonly ChatMessage[]): string {
  const last = messages.findLast((message) => message.role === "user");
  return last ? textOf(last) : "";
}
