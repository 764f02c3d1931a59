import { once } from "node:events";
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { EventStream } from "./event-stream.ts";
import type { UpstreamFailure } from "./failure.ts";

const IDLE_MILLISECONDS = 50;
const TIMEOUTS = { idleMilliseconds: IDLE_MILLISECONDS, firstOutputMilliseconds: IDLE_MILLISECONDS };

it("does not take its own process being busy for a stalled upstream", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const sent = request({ port: (server.address() as AddressInfo).port });
  sent.end();
  const [, upstream] = (await once(server, "request")) as [IncomingMessage, ServerResponse];
  upstream.write(": hello\n\n");
  const [response] = (await once(sent, "response")) as [IncomingMessage];

  const ended = new Promise<UpstreamFailure | null>((resolve) => {
    const stream = new EventStream(response, 1, TIMEOUTS);
    stream.listen({ onEvents: () => upstream.end("data: [DONE]\n\n"), onEnd: resolve });
  });
  // The next chunk is in the socket before the timer is due, and only then does this process come round to either.
  upstream.write('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n');
  await new Promise((resolve) => setImmediate(resolve));
  upstream.write('data: {"choices":[{"index":0,"delta":{"content":"b"}}]}\n\n');
  const until = performance.now() + 2 * IDLE_MILLISECONDS;
  while (performance.now() < until);

  expect(await ended).toBeNull();
  server.close();
});
