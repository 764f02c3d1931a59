import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { exchange } from "./exchange.ts";
import { openWire } from "./wire.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** Asks a server that does what a test says with each connection. */
async function ask(protocol: "http" | "https", serve: (socket: Socket) => void) {
  const server = createServer((socket) => serve(socket.on("error", () => undefined))).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const timeouts = { connectMilliseconds: 200 };
  const wire = openWire({ name: "x", url: `${protocol}://127.0.0.1:${port}`, models: [], timeouts });
  closing.push(
    () => wire.agent.destroy(),
    () => server.close(),
  );
  const limits = { answerMilliseconds: 60_000, partingMilliseconds: 60_000 };
  const sending = { path: "/", body: Buffer.from("{}"), accept: "*/*", ...limits };
  return exchange(wire, { ...sending, signal: new AbortController().signal });
}

it("gives up a server that takes the connection and never gets to speak of keys", async () => {
  expect(await ask("https", () => undefined)).toMatchObject({ kind: "timed_out" });
});

it("gives up where what comes is no answer", async () => {
  const head = "HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n";
  const answer = await ask("http", (socket) => socket.once("data", () => socket.write(head)));
  expect(answer).toMatchObject({ kind: "broken" });
});
