/** What happens in a chat, as it happens. `missed`: something before this was lost on its way from another process. */
export interface ChatEvent {
  readonly type: "message" | "chunk" | "complete" | "error" | "missed";
  readonly [fact: string]: unknown;
}
