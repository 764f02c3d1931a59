import type { ToolAnswer } from "./tool.ts";
import type { ClientToolName } from "./tools.ts";

/** One tool call on its way to where the user's files are. */
export interface ClientToolCall {
  /** Unique among all calls of all runs: an answer for another one is nobody's. */
  readonly requestId: string;
  readonly toolName: ClientToolName;
  /** Checked by the sender, and again by the receiver. */
  readonly input: unknown;
  readonly timeoutMs: number;
  /** It was asked before, by a process that has ended since: what was done of it is not done a second time. */
  readonly isAgain?: boolean;
  /** Aborted when the run is cancelled: what the call has started must end. */
  readonly signal: AbortSignal;
}

/** What an agent reaches the user's project through: in one process, or over a socket.
 *  Promises an answer to every call, at the latest when its time is over; never throws for what a call asked. */
export interface ClientTools {
  call(call: ClientToolCall): Promise<ToolAnswer>;
}
