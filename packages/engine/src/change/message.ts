import type { AccountId } from "@bursar/contract/ids";
import { MESSAGE_BYTES } from "./fan-out.ts";

/** What processes tell one another. `who` asks who listens, `here` answers it, `changed` and `doubt` are for those who
 *  do; a doubt may be one process's alone. */
export type ChangeMessage =
  | { readonly from: string; readonly kind: "who" | "here" }
  | { readonly from: string; readonly kind: "doubt"; readonly to?: string }
  | { readonly from: string; readonly kind: "changed"; readonly accountIds: readonly AccountId[] };

const KINDS = new Set<unknown>(["who", "here", "doubt", "changed"]);

/** null for what is none, as from another version. */
export function readMessage(text: string): ChangeMessage | null {
  try {
    const value = JSON.parse(text) as Partial<ChangeMessage> | null;
    if (value === null || typeof value.from !== "string" || !KINDS.has(value.kind)) return null;
    if (value.kind !== "changed") return value as ChangeMessage;
    return Array.isArray(value.accountIds) ? (value as ChangeMessage) : null;
  } catch {
    return null;
  }
}

/** These changes in as many messages as they need; null: anything may have changed. */
export function* messagesOf(from: string, accountIds: Iterable<AccountId> | null): Generator<string> {
  if (accountIds === null) return yield JSON.stringify({ from, kind: "doubt" } satisfies ChangeMessage);
  const head = JSON.stringify({ from, kind: "changed", accountIds: [] } satisfies ChangeMessage).length;
  let part: AccountId[] = [];
  let bytes = head;
  for (const accountId of accountIds) {
    // Ids are plain letters: a byte each, with quotes and a comma around them.
    const more = accountId.length + 3;
    if (bytes + more > MESSAGE_BYTES) {
      yield JSON.stringify({ from, kind: "changed", accountIds: part } satisfies ChangeMessage);
      part = [];
      bytes = head;
    }
    part.push(accountId);
    bytes += more;
  }
  if (part.length > 0)
    yield JSON.stringify({ from, kind: "changed", accountIds: part } satisfies ChangeMessage);
}
