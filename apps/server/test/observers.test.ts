/** Chats that a supervisor watches from another process of the same Bursar. */
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import { MESSAGE_BYTES } from "@bursar/engine/change/fan-out";
import { startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openAssembly } from "../src/compat/credit-check/chat/assembly.ts";
import {
  MOST_PIECES,
  type Piece,
  piecesOf,
  readObserverMessage,
  sessionMessages,
} from "../src/compat/credit-check/chat/wire.ts";
import { SANDBOX_PRICES } from "../src/sandbox/prices.ts";
import { type Running, startRunning } from "./running.ts";

const password = "correct horse 9";
let database: TestDatabase;
let model: Awaited<ReturnType<typeof startSandboxModel>>;
/** One serves the chat, the other its observer. */
let serving: Running;
let watching: Running;
/** What is said between processes, as soon as the one that serves has heard it. */
let overheard: string[];
let token: string;
const supervisorTokens = new Map<Running, string>();

beforeAll(async () => {
  database = await createTestDatabase();
  model = await startSandboxModel();
  const upstreams = [{ name: "sandbox", url: model.url, models: ["sandbox-*"] }];
  const start = async () => {
    const running = await startRunning(database.url, 0, {}, { upstreams, watchSeconds: 0.2 });
    await running.engine.prices.put({ body: SANDBOX_PRICES, by: "test" });
    return running;
  };
  serving = await start();
  watching = await start();
  overheard = [];
  const onMessage = (text: string) => void overheard.push(text);
  serving.engine.fanOut.listen({ onMessage, onConnected: () => undefined });
  token = await personAt(serving, "ann", "user");
  for (const running of [serving, watching])
    supervisorTokens.set(running, await personAt(running, "sue", "supervisor"));
  const { accountId } = (await serving.identity.people.find("ann"))!;
  const terms = { accountId, source: "purchase", amount: "100" };
  expect((await serving.call(serving.adminKey, "POST", "/v1/grants", terms)).status).toBe(201);
});
afterAll(async () => {
  await serving.close();
  await watching.close();
  await model.close();
  await database.drop();
});

async function personAt(running: Running, username: string, role: "user" | "supervisor"): Promise<string> {
  await running.identity.people.create({ username, role, password, email: `${username}@example.org` });
  return (await running.call(null, "POST", "/api/auth/login", { username, password })).body.accessToken;
}

async function openChat(): Promise<string> {
  const made = await serving.call(token, "POST", "/api/chat/sessions", { modelId: "sandbox-small" });
  return made.body.id;
}
const say = (id: string, content: string) =>
  serving.call(token, "POST", `/api/chat/sessions/${id}/messages`, { content });

interface Event {
  readonly name: string;
  readonly data: ReturnType<typeof JSON.parse>;
}

/** Watches, from the other process unless told otherwise; resolves when the one that serves has heard of it. */
async function observe(id: string, running = watching) {
  const isHeard = (text: string) => text.includes('"watching"') && text.includes(id);
  const leaving = new AbortController();
  const response = await fetch(`${running.url}/api/chat/sessions/${id}/observe`, {
    headers: { authorization: `Bearer ${supervisorTokens.get(running)}` },
    signal: leaving.signal,
  });
  const events: Event[] = [];
  const reading = (async () => {
    let rest = "";
    for await (const text of response.body!.pipeThrough(new TextDecoderStream())) {
      const blocks = (rest + text).split("\n\n");
      rest = blocks.pop()!;
      for (const block of blocks) {
        const [, name, data] = /^event: (.*)\ndata: (.*)$/.exec(block) ?? [];
        if (name !== undefined) events.push({ name, data: JSON.parse(data!) });
      }
    }
  })().catch(() => undefined);
  await expect.poll(() => events[0]?.name).toBe("watching");
  await expect.poll(() => overheard.some(isHeard)).toBe(true);
  return {
    events,
    ended: reading,
    until: (name: string) => expect.poll(() => events.map((each) => each.name)).toContain(name),
    leave: async () => {
      leaving.abort();
      await reading;
    },
  };
}

/** Whatever has been said by now is overheard before this is. */
async function hearAll(): Promise<void> {
  await serving.engine.fanOut.publish("end");
  await expect.poll(() => overheard.includes("end")).toBe(true);
}

const chatPieces = () => overheard.filter((text) => text.startsWith("chat ") && text.includes('"piece"'));

describe("a chat that is watched from another process", () => {
  test("is seen whole and in order, whatever is said and however long it is", async () => {
    const id = await openChat();
    const { events, until, leave } = await observe(id);
    const long = `[[sandbox: say="Grüße, 🎟 \\ ✓"]] ${"ü🎟\u0001 ".repeat(10_000)}`;
    const said = await say(id, long);
    expect(said.status).toBe(201);
    await until("complete");
    expect(events.map(({ name }) => name).filter((name, index, all) => name !== all[index - 1])).toEqual([
      "watching",
      "message",
      "chunk",
      "complete",
    ]);
    expect(events[1]!.data.content).toBe(long);
    const chunks = events.filter(({ name }) => name === "chunk").map(({ data }) => data.content);
    expect(chunks.join("")).toBe(said.body.response);
    expect(events.at(-1)!.data).toMatchObject({ role: "assistant", content: said.body.response });
    await hearAll();
    expect(chatPieces().length).toBeGreaterThan(10);
    for (const text of overheard) expect(Buffer.byteLength(text)).toBeLessThan(8000);
    await leave();
  });

  test("sends nothing when nobody watches, nor after the last has left", async () => {
    const [watched, other] = [await openChat(), await openChat()];
    const { until, leave } = await observe(watched);
    overheard.length = 0;
    await say(other, '[[sandbox: say="Not watched."]] Hi');
    await say(watched, '[[sandbox: say="Watched."]] Hi');
    await until("complete");
    await hearAll();
    expect(new Set(chatPieces().map((text) => (readObserverMessage(text) as Piece).session))).toEqual(
      new Set([watched]),
    );
    await leave();
    await expect.poll(() => overheard.some((text) => text.includes('"left"'))).toBe(true);
    overheard.length = 0;
    await say(watched, '[[sandbox: say="Alone again."]] Hi');
    await hearAll();
    expect(chatPieces()).toEqual([]);
  });

  test("is seen by observers in both processes", async () => {
    const id = await openChat();
    const [far, near] = [await observe(id), await observe(id, serving)];
    await say(id, '[[sandbox: say="For both."]] Hi');
    for (const { until, events, leave } of [far, near]) {
      await until("complete");
      expect(events.map(({ name }) => name)).not.toContain("missed");
      await leave();
    }
  });
});

test.each<[string, (id: string) => Promise<unknown>]>([
  ["is no supervisor any more", (id) => serving.identity.people.setRole(id, "user")],
  ["is signed out", (id) => serving.identity.endAllSessions(id)],
])("a chat is seen no more by whoever %s", async (_, end) => {
  const id = await openChat();
  const { events, ended } = await observe(id);
  const sue = (await serving.identity.people.find("sue"))!;
  await end(sue.id);
  await ended;
  await say(id, '[[sandbox: say="For nobody else."]] Hi');
  expect(events.map(({ name }) => name)).toEqual(["watching"]);
  await serving.identity.people.setRole(sue.id, "supervisor");
  supervisorTokens.set(watching, await personAt(watching, "sue", "supervisor"));
});

describe("between processes", () => {
  const event = { type: "chunk", content: "x".repeat(30_000) } as const;
  const sent = (number: number) =>
    [...piecesOf("one", "chat_1", { number, event })].map((text) => readObserverMessage(text) as Piece);

  test("every message fits, and what is too long is not sent", () => {
    const ids = Array.from({ length: 1000 }, (_, index) => `chat_${String(index).padStart(24, "0")}`);
    const messages = [
      ...sessionMessages("one", "watching", ids),
      ...piecesOf("one", "chat_1", { number: 1, event }),
    ];
    for (const text of messages) expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MESSAGE_BYTES);
    const told = messages.flatMap((text) => {
      const message = readObserverMessage(text);
      return message?.kind === "watching" ? message.sessions : [];
    });
    expect(told).toEqual(ids);
    const huge = { type: "message", content: "x".repeat(MOST_PIECES * MESSAGE_BYTES) } as const;
    expect([...piecesOf("one", "chat_1", { number: 1, event: huge })]).toEqual([]);
    for (const text of [
      "",
      "chat ",
      "chat {}",
      '{"from":"x","kind":"who"}',
      'chat {"from":"x","kind":"new"}',
    ])
      expect(readObserverMessage(text)).toBeNull();
  });

  test("what was lost is noticed once, and never shown in half", () => {
    const take = (assembly: ReturnType<typeof openAssembly>, pieces: Piece[]) =>
      pieces
        .map((piece) => assembly.take(piece))
        .flatMap(({ hasMissed, event: whole }) => [
          ...(hasMissed ? ["missed"] : []),
          ...(whole === null ? [] : [whole.content === event.content ? "whole" : "half"]),
        ]);
    expect(take(openAssembly(), [...sent(1), ...sent(2)])).toEqual(["whole", "whole"]);
    expect(take(openAssembly(), [...sent(1), ...sent(3)])).toEqual(["whole", "missed", "whole"]);
    const [first, ...others] = sent(2);
    expect(take(openAssembly(), [...sent(1), ...others, ...sent(3)])).toEqual(["whole", "missed", "whole"]);
    expect(take(openAssembly(), [...sent(1), first!, ...sent(3)])).toEqual(["whole", "missed", "whole"]);
    // Whoever begins in the middle has missed nothing.
    expect(take(openAssembly(), [...others, ...sent(3)])).toEqual(["whole"]);
    const one = openAssembly();
    take(one, sent(1));
    one.forget("chat_1");
    expect(take(one, sent(9))).toEqual(["whole"]);
  });
});
