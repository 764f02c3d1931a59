import type { Log } from "@bursar/database/log";
import type pg from "pg";
import type { FanOut, FanOutListener } from "./fan-out.ts";

const CHANNEL = "bursar_changes";
const FIRST_DELAY_MILLISECONDS = 100;
const LONGEST_DELAY_MILLISECONDS = 5000;
const GOODBYE_MILLISECONDS = 1000;

interface NotifyDeps {
  /** Makes a new, unconnected client. */
  readonly connect: () => pg.Client;
  readonly log: Log;
}

/** LISTEN and NOTIFY on a connection of its own: never in a ledger transaction, whose commits it would make wait for one
 *  another. Comes back by itself when the connection breaks. */
export function openNotifyFanOut(deps: NotifyDeps): FanOut {
  return new NotifyFanOut(deps);
}

class NotifyFanOut implements FanOut {
  readonly #deps: NotifyDeps;
  #listener: FanOutListener | null = null;
  #client: pg.Client | null = null;
  #timer: NodeJS.Timeout | null = null;
  #connecting: Promise<void> = Promise.resolve();
  #failures = 0;
  #isClosed = false;

  constructor(deps: NotifyDeps) {
    this.#deps = deps;
  }

  listen(listener: FanOutListener): void {
    this.#listener = listener;
    this.#connecting = this.#connect();
  }

  async publish(message: string): Promise<void> {
    const client = this.#client;
    if (client === null) throw new Error("the connection for notifications is broken");
    await client.query("select pg_notify($1, $2)", [CHANNEL, message]);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    const late = new Promise<void>((resolve) => void setTimeout(resolve, GOODBYE_MILLISECONDS).unref());
    const end = async () => {
      await this.#connecting;
      await this.#client?.end().catch(() => undefined);
    };
    await Promise.race([end(), late]);
  }

  async #connect(): Promise<void> {
    if (this.#isClosed) return;
    const client = this.#deps.connect();
    // One loss of a connection may show as an error, an end, or both.
    client.on("error", () => this.#lose(client));
    client.on("end", () => this.#lose(client));
    client.on("notification", ({ payload }) => {
      if (payload !== undefined) this.#listener?.onMessage(payload);
    });
    try {
      await client.connect();
      await client.query(`listen ${CHANNEL}`);
      this.#client = client;
      this.#failures = 0;
      this.#listener?.onConnected();
    } catch (error) {
      this.#deps.log.warn({ err: error }, "changes of other processes are not heard; trying again");
      void client.end().catch(() => undefined);
      this.#later();
    }
  }

  #lose(client: pg.Client): void {
    if (this.#client !== client) return;
    this.#client = null;
    if (!this.#isClosed) this.#deps.log.warn({}, "the connection for notifications broke; connecting again");
    this.#later();
  }

  #later(): void {
    if (this.#isClosed || this.#timer !== null) return;
    const delay = Math.min(FIRST_DELAY_MILLISECONDS * 2 ** this.#failures++, LONGEST_DELAY_MILLISECONDS);
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#connecting = this.#connect();
    }, delay).unref();
  }
}
