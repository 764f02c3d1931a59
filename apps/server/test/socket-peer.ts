/** A client of the socket that does exactly what a test says, right or wrong. */
import { serverMessage } from "@bursar/contract/socket/server-messages";
import { type ClientOptions, WebSocket } from "ws";

export type Heard = ReturnType<typeof JSON.parse>;

export interface Peer {
  readonly socket: WebSocket;
  readonly heard: Heard[];
  /** Sends a message under the next number, and gives its acknowledgement. */
  say(message: object): Promise<Heard>;
  /** The first message, past or to come, that is as wanted. */
  until(isWanted: (message: Heard) => boolean): Promise<Heard>;
  /** The next push of a topic that is as wanted. */
  push(topic: string, isWanted?: (data: Heard) => boolean): Promise<Heard>;
  readonly closed: Promise<{ code: number; reason: string }>;
}

const PATIENCE_MILLISECONDS = 30_000;

export function openPeer(
  url: string,
  key: string | null,
  options: ClientOptions & { query?: string; protocols?: string[] } = {},
): Peer {
  const { query = "", protocols = [], ...rest } = options;
  const headers = { ...(key === null ? {} : { authorization: `Bearer ${key}` }), ...rest.headers };
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws${query}`, protocols, { ...rest, headers });
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  let failure: Error | null = null;
  const look = () => {
    for (const each of waiting) each();
  };
  socket.on("message", (data) => {
    const message: Heard = JSON.parse((data as Buffer).toString());
    // Whatever the server says is as the contract has it.
    const parsed = serverMessage.safeParse(message);
    if (!parsed.success) failure = new Error(`not in the contract: ${JSON.stringify(message)}`);
    else heard.push(message);
    look();
  });
  socket.on("error", (error) => {
    failure = error;
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  void closed.then(look);
  const opened = new Promise<void>((resolve) => {
    socket.on("open", resolve);
    void closed.then(() => resolve());
  });
  let txid = 0;
  const until = (isWanted: (message: Heard) => boolean): Promise<Heard> =>
    new Promise((resolve, reject) => {
      const finish = (act: () => void) => {
        clearTimeout(timer);
        waiting.delete(tryNow);
        act();
      };
      const timer = setTimeout(
        () => finish(() => reject(new Error(`not heard; heard: ${JSON.stringify(heard).slice(0, 2000)}`))),
        PATIENCE_MILLISECONDS,
      );
      const tryNow = () => {
        const found = heard.find(isWanted);
        if (found !== undefined) finish(() => resolve(found));
        else if (failure !== null || socket.readyState >= WebSocket.CLOSING)
          finish(() => reject(failure ?? new Error("the socket closed before")));
      };
      waiting.add(tryNow);
      tryNow();
    });
  return {
    socket,
    heard,
    closed,
    until,
    say: async (message) => {
      const mine = txid++;
      await opened;
      socket.send(JSON.stringify({ txid: mine, ...message }));
      return until((each) => each.type === "ack" && each.txid === mine);
    },
    push: async (topic, isWanted = () => true) =>
      (await until((each) => each.type === "push" && each.topic === topic && isWanted(each.data))).data,
  };
}

/** The HTTP answer that a socket was refused with. */
export async function refusalOf(
  url: string,
  headers: Record<string, string>,
  path = "/ws",
): Promise<{ status: number; code: string }> {
  const { promise, resolve, reject } = Promise.withResolvers<{ status: number; code: string }>();
  const socket = new WebSocket(`${url.replace("http", "ws")}${path}`, { headers });
  socket.on("unexpected-response", (_, response) => {
    let text = "";
    response.on("data", (chunk: Buffer) => {
      text += String(chunk);
    });
    response.on("end", () => resolve({ status: response.statusCode!, code: JSON.parse(text).error.code }));
  });
  socket.on("open", () => {
    socket.terminate();
    reject(new Error("it was let in"));
  });
  socket.on("error", () => undefined);
  return promise;
}
