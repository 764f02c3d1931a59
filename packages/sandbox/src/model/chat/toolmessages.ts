import { type ApiError, invalidRequest } from "../errors.ts";

/** What of a message ties calls and answers together. */
interface Message {
  readonly role: string;
  readonly tool_calls?: readonly { readonly id: string }[] | undefined;
  readonly tool_call_id?: string | undefined;
}

/** Refuses a conversation whose tool calls and tool answers do not belong together, as OpenAI does: an agent
 *  that loses an answer must fail here and not at its first real provider. */
export function checkToolMessages(messages: readonly Message[]): ApiError | undefined {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === "tool") {
      if (!open.delete(message.tool_call_id ?? "")) return strayAnswer(index);
      continue;
    }
    if (open.size > 0) return unanswered(open);
    open = new Set(message.tool_calls?.map((call) => call.id));
  }
  return open.size > 0 ? unanswered(open) : undefined;
}

function strayAnswer(index: number): ApiError {
  const wording = "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.";
  return invalidRequest(`Invalid parameter: ${wording}`, `messages.[${index}].role`);
}

function unanswered(open: ReadonlySet<string>): ApiError {
  const wording =
    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. " +
    `The following tool_call_ids did not have response messages: ${[...open].join(", ")}`;
  return invalidRequest(wording, "messages");
}
