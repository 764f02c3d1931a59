import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { openSocket, type SocketState } from "./socket.ts";

/** A line to a server that does no more than a test lets it. */
class Line extends EventTarget {
  static lines: Line[] = [];
  readyState = 0;
  readonly said: string[] = [];
  readonly url: string;

  constructor(url: string) {
    super();
    this.url = url;
    Line.lines.push(this);
  }

  open(): void {
    this.readyState = 1;
    this.dispatchEvent(new Event("open"));
  }

  hear(message: object): void {
    this.dispatchEvent(new MessageEvent("message", { data: JSON.stringify(message) }));
  }

  send(text: string): void {
    this.said.push(text);
  }

  close(): void {
    this.readyState = 3;
  }
}

beforeEach(() => {
  Line.lines = [];
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** Second by second. Test files share a process: what another one has left running goes on by the same clock, and with
 *  vitest's own way of waiting, which does so after every single timer, a loop of it would be gone through for minutes. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second += 1) {
    vi.advanceTimersByTime(1000);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  }
}

test("a server that lets nobody in, or lets in and says nothing, is not waited for for ever", async () => {
  const states: SocketState[] = [];
  const socketClass = Line as unknown as typeof WebSocket;
  const socket = openSocket({
    ...{ url: "https://server.test/below/v1/", credential: "key", socketClass },
    onState: (state) => states.push(state),
  });
  await pass(25);
  expect(Line.lines).toHaveLength(2);
  const [deaf, mute] = Line.lines;
  expect(deaf!.url).toBe("wss://server.test/below/ws");
  expect(deaf!.readyState).toBe(3);
  mute!.open();
  await pass(15);
  expect(Line.lines).toHaveLength(3);
  const good = Line.lines[2]!;
  good.open();
  const { txid } = JSON.parse(good.said[0]!) as { txid: number };
  const session = { accountId: "acct_1", resumed: false, life: "1", nextSeq: 1, lastSeq: 0, running: [] };
  good.hear({ type: "ack", txid, success: true, session });
  await pass(19);
  expect(states).toEqual(["connected"]);
  expect(Line.lines).toHaveLength(3);
  socket.close();
  await pass(60);
  expect([Line.lines.length, good.readyState]).toEqual([3, 3]);
});
