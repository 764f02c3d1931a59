import type { Thinkers } from "@bursar/engine/thinker/thinkers";
import type { Ask } from "./ask/ask.ts";
import type { Opened } from "./bill/open.ts";
import type { Settlements } from "./bill/settlements.ts";
import type { EngineDeps, Principal } from "./principal.ts";
import type { GatewaySettings } from "./settings.ts";
import type { Line, Lines } from "./upstream/line.ts";

/** One call of a client that is known: its parsed body, and a signal that aborts when the client has left. */
export interface Call {
  readonly body: unknown;
  readonly signal: AbortSignal;
  readonly principal: Principal;
  /** `req_…`, new for every call: the hold is named after it, and the receipt is found by it. */
  readonly requestId: string;
}

/** A call under way. */
export interface RunningCall extends Call {
  /** Aborts when we end what runs, also where the client has left before. */
  readonly closing: AbortSignal;
}

/** A call that is let in: what is asked of whom, and the hold that pays for it. */
export interface OpenCall extends Pick<Extract<Opened, { kind: "open" }>, "hold" | "outputCap"> {
  readonly call: RunningCall;
  readonly line: Line;
  readonly ask: Ask;
}

/** What serves every call. */
export interface Parts {
  readonly engine: EngineDeps;
  readonly lines: Lines;
  readonly settlements: Settlements;
  readonly thinkers: Thinkers;
  readonly settings: GatewaySettings;
}
