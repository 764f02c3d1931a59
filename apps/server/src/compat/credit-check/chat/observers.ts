/** What happens in a chat, as it happens. */
export interface ChatEvent {
  readonly type: "message" | "chunk" | "complete" | "error";
  readonly [fact: string]: unknown;
}

type Listener = (event: ChatEvent) => void;

/** Who watches which chat live, in this process. */
export interface Observers {
  publish(sessionId: string, event: ChatEvent): void;
  /** Returns how to stop. */
  watch(sessionId: string, listener: Listener): () => void;
}

export function openObservers(): Observers {
  const watchers = new Map<string, Set<Listener>>();
  return {
    publish: (sessionId, event) => {
      for (const listener of watchers.get(sessionId) ?? []) listener(event);
    },
    watch: (sessionId, listener) => {
      const listeners = watchers.get(sessionId) ?? new Set();
      watchers.set(sessionId, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) watchers.delete(sessionId);
      };
    },
  };
}
