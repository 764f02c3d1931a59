import type { SocketErrorName } from "@bursar/contract/socket/errors";

type OtherText = string & Record<never, never>;

/** The server said no over the socket, or the socket ended for good. */
export class SocketRefused extends Error {
  override readonly name = "SocketRefused";
  /** One of the contract's names; `session_lost` when the server has no trace of what was under way, `socket_closed`
   *  when the socket was closed here, `outbox_full` when too much waits for a lost connection. */
  readonly code: SocketErrorName | "session_lost" | "socket_closed" | "outbox_full" | OtherText;
  /** The field at fault, where there is one. */
  readonly param: string | null;
  /** Credits left, where the refusal is about them. */
  readonly remainingBalance: string | null;

  constructor(
    code: SocketRefused["code"],
    message: string,
    facts: { readonly param?: string | undefined; readonly remainingBalance?: string | undefined } = {},
  ) {
    super(message);
    this.code = code;
    this.param = facts.param ?? null;
    this.remainingBalance = facts.remainingBalance ?? null;
  }
}
