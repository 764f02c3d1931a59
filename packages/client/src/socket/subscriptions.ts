import type { Push } from "@bursar/contract/socket/server-messages";
import type { PushOf, Topic } from "@bursar/contract/socket/topics";

type Callback = (data: never) => void;

/** Who wants to hear of which topic, and what each has heard last. */
export class Subscriptions {
  readonly #callbacks = new Map<Topic, Set<Callback>>();
  readonly #last = new Map<Topic, Push["data"]>();
  readonly #tell: (type: "subscribe" | "unsubscribe", topics: Topic[]) => void;

  constructor(tell: (type: "subscribe" | "unsubscribe", topics: Topic[]) => void) {
    this.#tell = tell;
  }

  add<Name extends Topic>(topic: Name, callback: (data: PushOf<Name>) => void): () => void {
    const known = this.#callbacks.get(topic);
    if (known === undefined) {
      this.#callbacks.set(topic, new Set([callback]));
      this.#tell("subscribe", [topic]);
    } else {
      known.add(callback);
      const last = this.#last.get(topic);
      if (last !== undefined) callback(last as PushOf<Name>);
    }
    return () => this.#remove(topic, callback);
  }

  topics(): Topic[] {
    return [...this.#callbacks.keys()];
  }

  hear({ topic, data }: Push): void {
    this.#last.set(topic, data);
    for (const callback of this.#callbacks.get(topic) ?? []) callback(data as never);
  }

  #remove(topic: Topic, callback: Callback): void {
    const known = this.#callbacks.get(topic);
    if (known?.delete(callback) !== true || known.size > 0) return;
    this.#callbacks.delete(topic);
    this.#last.delete(topic);
    this.#tell("unsubscribe", [topic]);
  }
}
