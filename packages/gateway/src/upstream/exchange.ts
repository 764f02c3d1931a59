import type { IncomingMessage, RequestOptions } from "node:http";
import type { UpstreamTimeouts } from "../settings.ts";
import { SHUT_DOWN } from "../stream/ending.ts";
import { broken, timedOut, type UpstreamFailure } from "./failure.ts";
import { failureOf } from "./status.ts";
import type { Wire } from "./wire.ts";

/** A success's headers are here, its body is to come. */
export interface Answered {
  readonly kind: "answered";
  readonly response: IncomingMessage;
}

export interface Sending {
  readonly path: string;
  readonly body: Buffer;
  readonly accept: string;
  /** From the request to the answer's headers. */
  readonly answerMilliseconds: number;
  /** The same from the moment at which the client leaves: an upstream that has been asked works, and is paid for it. */
  readonly partingMilliseconds: number;
  readonly signal: AbortSignal;
  /** Ends also what a client has left behind. */
  readonly closing?: AbortSignal;
}

/** One HTTP request to an upstream, up to the headers of a success. By node:http, because fetch added two to four
 *  times as much to the first token and web streams cost more per chunk. */
export function exchange(wire: Wire, sending: Sending): Promise<Answered | UpstreamFailure> {
  const { signal, closing } = sending;
  if (signal.aborted) return Promise.resolve({ kind: "called_off", isAnswered: false });
  return new Promise((resolve) => {
    const request = wire.open(optionsOf(wire, sending));
    const finish = (result: Answered | UpstreamFailure) => {
      clearTimeout(timer);
      clearTimeout(parting);
      signal.removeEventListener("abort", callOff);
      closing?.removeEventListener("abort", giveUp);
      if (result.kind !== "answered") request.destroy();
      resolve(result);
    };
    const giveUp = () => finish({ kind: "called_off", isAnswered: false });
    const callOff = () => {
      if (signal.reason === SHUT_DOWN || !request.writableFinished) giveUp();
      else parting = setTimeout(giveUp, sending.partingMilliseconds);
    };
    let parting: NodeJS.Timeout | undefined;
    const timer = setTimeout(() => finish(timedOut("no answer in time")), sending.answerMilliseconds);
    signal.addEventListener("abort", callOff);
    closing?.addEventListener("abort", giveUp);
    // Errors after the headers reach whoever reads the response; without a listener they would end the process.
    request.on("error", (error) => finish(broken(error.message)));
    // Also by what is no answer, such as 101.
    const onClose = () => finish(broken("the connection ended without an answer"));
    request.on("close", onClose);
    request.on("response", (response) => {
      request.off("close", onClose);
      void sortOut(response).then(finish);
    });
    limitConnecting(request, wire.timeouts, finish);
    request.end(sending.body);
  });
}

function optionsOf(wire: Wire, { path, body, accept }: Sending): RequestOptions {
  const headers = { ...wire.headers, accept, "content-length": body.length };
  return { ...wire.target, path: `${wire.basePath}${path}`, method: "POST", agent: wire.agent, headers };
}

function limitConnecting(
  request: ReturnType<Wire["open"]>,
  timeouts: UpstreamTimeouts,
  finish: (failure: UpstreamFailure) => void,
): void {
  request.on("socket", (socket) => {
    if (!socket.connecting) return;
    const timer = setTimeout(() => finish(timedOut("no connection in time")), timeouts.connectMilliseconds);
    socket.once("encrypted" in socket ? "secureConnect" : "connect", () => clearTimeout(timer));
    socket.once("close", () => clearTimeout(timer));
  });
}

async function sortOut(response: IncomingMessage): Promise<Answered | UpstreamFailure> {
  response.on("error", () => undefined);
  const status = response.statusCode ?? 0;
  if (status === 200) return { kind: "answered", response };
  const body = await readBody(response, ERROR_LIMIT_BYTES);
  return failureOf({ status, retryAfter: response.headers["retry-after"], body: body?.toString() ?? "" });
}

const ERROR_LIMIT_BYTES = 64 * 1024;

/** The whole body; null when it breaks off or is larger than the limit. */
export function readBody(
  response: IncomingMessage,
  limitBytes: number,
  onTooLarge: () => void = () => undefined,
): Promise<Buffer | null> {
  return new Promise((resolve) => {
    const pieces: Buffer[] = [];
    let size = 0;
    response.on("data", (piece: Buffer) => {
      size += piece.length;
      if (size <= limitBytes) return void pieces.push(piece);
      onTooLarge();
      resolve(null);
      response.destroy();
    });
    // "close" follows "end", and comes alone when the connection breaks.
    response.on("end", () => resolve(Buffer.concat(pieces)));
    response.on("close", () => resolve(null));
  });
}
