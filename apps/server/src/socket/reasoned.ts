import { CLOSES, closeNamed } from "@bursar/contract/socket/close";
import { WebSocket } from "ws";

/** The library closes a socket whose message is too large by itself, by code alone: here the reason comes with it. */
export class ReasonedSocket extends WebSocket {
  override close(code?: number, reason?: string | Buffer): void {
    const name = code === undefined ? null : closeNamed(code);
    super.close(code, reason ?? (name === null ? undefined : CLOSES[name].reason));
  }
}
