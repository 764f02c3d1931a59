import type { Log } from "@bursar/engine/deps";
import type { ChatEvent } from "./event.ts";
import { piecesOf } from "./wire.ts";

interface Numbered {
  readonly number: number;
  event: ChatEvent;
}

/** Events on their way to other processes. */
export interface Outgoing {
  add(sessionId: string, event: ChatEvent): void;
  /** Nobody elsewhere watches this chat any more. */
  forget(sessionId: string): void;
}

/** Chunks are gathered for this long: a model writes a hundred a second, and each message is a commit. */
const GATHER_MILLISECONDS = 25;
/** What waits beyond this is dropped, and is missed: a database that is slow must not fill this process. */
const MOST_WAITING_CHARACTERS = 2_000_000;

interface OutgoingDeps {
  readonly from: string;
  /** In the order of the calls. Rejects when it cannot be sent. */
  readonly publish: (text: string) => Promise<void>;
  readonly log: Log;
}

export function openOutgoing(deps: OutgoingDeps): Outgoing {
  const numbers = new Map<string, number>();
  const waiting = new Map<string, Numbered[]>();
  let characters = 0;
  let timer: NodeJS.Timeout | null = null;

  const send = async () => {
    for (const [sessionId, events] of waiting) {
      waiting.delete(sessionId);
      for (const event of events) {
        characters -= sizeOf(event.event);
        for (const text of piecesOf(deps.from, sessionId, event)) await deps.publish(text);
      }
    }
  };
  const sendSoon = () => {
    timer ??= setTimeout(() => {
      void send()
        .catch((error: unknown) => {
          // Whoever watches sees by the numbers that something is missing.
          waiting.clear();
          characters = 0;
          deps.log.warn({ err: error }, "observers in other processes were not told of a chat");
        })
        .finally(() => {
          timer = null;
          if (waiting.size > 0) sendSoon();
        });
    }, GATHER_MILLISECONDS).unref();
  };

  return {
    add: (sessionId, event) => {
      const events = waiting.get(sessionId) ?? [];
      const last = events.at(-1);
      const isFull = characters + sizeOf(event) > MOST_WAITING_CHARACTERS;
      if (!isFull && last !== undefined && last.event.type === "chunk" && event.type === "chunk") {
        last.event = { ...event, content: textOf(last.event) + textOf(event) };
      } else {
        const number = (numbers.get(sessionId) ?? 0) + 1;
        numbers.set(sessionId, number);
        if (isFull) return;
        waiting.set(sessionId, events);
        events.push({ number, event });
      }
      characters += sizeOf(event);
      sendSoon();
    },
    forget: (sessionId) => {
      numbers.delete(sessionId);
    },
  };
}

const textOf = ({ content }: ChatEvent) => (typeof content === "string" ? content : "");

const sizeOf = (event: ChatEvent) => textOf(event).length;
