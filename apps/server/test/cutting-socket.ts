/** A client's WebSocket whose line a test cuts at an exact message. */
import { WebSocket } from "ws";

/** Counts what passes over all connections of one client, and cuts once: before or after the message of this number,
 *  among those that go in or those that go out. */
export interface Cut {
  readonly direction: "in" | "out";
  readonly at: number;
  readonly when: "before" | "after";
}

export interface CutWatch {
  passedIn: number;
  passedOut: number;
  cuts: number;
  /** What came in, where a test wants to read it. */
  readonly heard?: unknown[];
}

export function cuttingSocket(cut: Cut | null, watch: CutWatch): typeof globalThis.WebSocket {
  class CuttingSocket extends WebSocket {
    override addEventListener(...[type, listener]: Parameters<WebSocket["addEventListener"]>): void {
      if (type !== "message") return super.addEventListener(type, listener);
      const hear = listener as (event: { data: unknown }) => void;
      super.addEventListener("message", (event) => {
        if (this.readyState !== WebSocket.OPEN) return;
        watch.passedIn += 1;
        watch.heard?.push(JSON.parse(event.data as string));
        const isCut = cut?.direction === "in" && cut.at === watch.passedIn;
        if (isCut && cut.when === "before") return this.#cut();
        hear(event);
        if (isCut) this.#cut();
      });
    }

    override send(data: unknown): void {
      watch.passedOut += 1;
      const isCut = cut?.direction === "out" && cut.at === watch.passedOut;
      if (isCut && cut.when === "before") return this.#cut();
      // Cut once it has left: the server has it, and its answer finds nobody.
      super.send(data as string, () => isCut && this.#cut());
    }

    #cut(): void {
      watch.cuts += 1;
      this.terminate();
    }
  }
  return CuttingSocket as unknown as typeof globalThis.WebSocket;
}
