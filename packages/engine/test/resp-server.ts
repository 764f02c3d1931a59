/** As much of Redis as publish and subscribe need, over its own protocol (RESP 2). */
import { type AddressInfo, createServer, type Socket } from "node:net";

export async function startRespServer() {
  const subscribers = new Map<string, Set<Socket>>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    let rest = Buffer.alloc(0);
    socket.on("data", (chunk) => {
      rest = Buffer.concat([rest, chunk]);
      for (let read = readCommand(rest); read !== null; read = readCommand(rest)) {
        rest = rest.subarray(read.length);
        answer(socket, read.words);
      }
    });
    socket.on("error", () => undefined);
    socket.on("close", () => {
      sockets.delete(socket);
      for (const each of subscribers.values()) each.delete(socket);
    });
  });
  const bulk = (text: string) => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
  const answer = (socket: Socket, [name = "", ...words]: string[]) => {
    switch (name.toUpperCase()) {
      case "SUBSCRIBE":
        for (const [index, channel] of words.entries()) {
          subscribers.set(channel, (subscribers.get(channel) ?? new Set()).add(socket));
          socket.write(`*3\r\n${bulk("subscribe")}${bulk(channel)}:${index + 1}\r\n`);
        }
        return;
      case "PUBLISH": {
        const [channel = "", message = ""] = words;
        const found = subscribers.get(channel) ?? new Set();
        for (const each of found) each.write(`*3\r\n${bulk("message")}${bulk(channel)}${bulk(message)}`);
        socket.write(`:${found.size}\r\n`);
        return;
      }
      case "PING":
        socket.write("+PONG\r\n");
        return;
      default:
        socket.write("+OK\r\n");
    }
  };
  let port = 0;
  const open = async () => {
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    port = (server.address() as AddressInfo).port;
  };
  await open();
  return {
    url: `redis://127.0.0.1:${port}`,
    open,
    close: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** One command: an array of bulk strings. null: it is not all here. */
function readCommand(bytes: Buffer): { words: string[]; length: number } | null {
  const line = (from: number) => {
    const end = bytes.indexOf("\r\n", from);
    return end === -1 ? null : { text: bytes.toString("latin1", from, end), next: end + 2 };
  };
  const head = line(0);
  if (head === null) return null;
  const words: string[] = [];
  let at = head.next;
  for (let i = 0; i < Number(head.text.slice(1)); i++) {
    const size = line(at);
    if (size === null) return null;
    const length = Number(size.text.slice(1));
    if (bytes.length < size.next + length + 2) return null;
    words.push(bytes.toString("utf8", size.next, size.next + length));
    at = size.next + length + 2;
  }
  return { words, length: at };
}
