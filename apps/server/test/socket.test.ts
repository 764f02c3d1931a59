import type { GrantId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { grant } from "@bursar/engine/grant/grant";
import { notify } from "@bursar/engine/notice/notify";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openBrowser } from "./browser.ts";
import { type Running, startRunning } from "./running.ts";
import { openPeer, type Peer, refusalOf } from "./socket-peer.ts";

const FAST = { recheckMilliseconds: 500, pingMilliseconds: 200 };
const DROP_MILLISECONDS = 1000;
let running: Running;
/** Another server on the same database. */
let other: Running;
const peers: Peer[] = [];

beforeAll(async () => {
  running = await startRunning(undefined, 0, {}, {}, { settings: FAST });
  other = await startRunning(running.databaseUrl, 0, {}, {}, { settings: FAST });
});
afterAll(async () => {
  for (const { socket } of peers) socket.terminate();
  await other.close();
  await running.close();
});

function open(...given: Parameters<typeof openPeer>): Peer {
  const peer = openPeer(...given);
  peers.push(peer);
  return peer;
}

const give = (accountId: string, id: string, amount: string) =>
  grant(running.engine, {
    accountId: accountId as Parameters<typeof grant>[1]["accountId"],
    id: id as GrantId,
    amount: credits(amount),
    source: "purchase",
    by: "test",
  });

const browserUser = async () => {
  const username = `socketeer${peers.length}`;
  const password = "correct horse 9";
  const made = await running.identity.people.create({
    username,
    email: `${username}@example.org`,
    password,
    emailVerified: true,
  });
  if (made.kind !== "created") throw new Error("not made");
  const login = await running.call(
    null,
    "POST",
    "/api/auth/login",
    { username, password },
    {
      "content-type": "application/json",
    },
  );
  const browser = openBrowser(running.url);
  await browser.post("/api/identity/sign-in/username", { username, password });
  const cookie = [...browser.jarOf()].map(([name, value]) => `${name}=${value}`).join("; ");
  return { ...made.person, token: login.body.accessToken as string, cookie };
};

describe("a socket opens", () => {
  test("by an API key in the header, and by one in a subprotocol, which is never answered", async () => {
    const { key } = await running.account();
    expect(await open(running.url, key).say({ type: "ping" })).toMatchObject({ success: true });
    const browser = open(running.url, null, { protocols: ["bursar.v1", `bearer.${key}`] });
    expect(await browser.say({ type: "ping" })).toMatchObject({ success: true });
    expect(browser.socket.protocol).toBe("bursar.v1");
  });

  test("by an access token, and by a session cookie from a page of this server alone", async () => {
    const person = await browserUser();
    const byToken = open(running.url, person.token);
    await byToken.say({ type: "subscribe", topics: ["balance"] });
    expect((await byToken.push("balance")).accountId).toBe(person.accountId);
    const own = open(running.url, null, { headers: { cookie: person.cookie, origin: running.url } });
    expect(await own.say({ type: "ping" })).toMatchObject({ success: true });
    const foreign = { cookie: person.cookie, origin: "https://evil.example" };
    expect(await refusalOf(running.url, foreign)).toEqual({ status: 403, code: "cross_origin" });
    expect(await refusalOf(running.url, { cookie: person.cookie })).toMatchObject({ status: 403 });
  });

  test("for an account that an admin key names, and for no other by an account's key", async () => {
    const { id, key } = await running.account();
    const stranger = await running.account();
    const admin = open(running.url, running.adminKey, { query: `?accountId=${id}` });
    await admin.say({ type: "subscribe", topics: ["balance"] });
    expect((await admin.push("balance")).accountId).toBe(id);
    const path = `/ws?accountId=${stranger.id}`;
    expect(await refusalOf(running.url, { authorization: `Bearer ${key}` }, path)).toMatchObject({
      status: 403,
    });
    for (const senseless of ["%00", "", "a%20b"]) {
      const at = `/ws?accountId=${senseless}`;
      const refused = await refusalOf(running.url, { authorization: `Bearer ${running.adminKey}` }, at);
      expect(refused).toEqual({ status: 422, code: "invalid_request" });
    }
  });

  test("not without a good credential: by HTTP, or for our own protocol by a close that pages can read", async () => {
    expect(await refusalOf(running.url, {})).toEqual({ status: 401, code: "unauthenticated" });
    expect(await refusalOf(running.url, { authorization: "Bearer bsk_nonsense" })).toMatchObject({
      status: 401,
    });
    const page = open(running.url, null, { protocols: ["bursar.v1", "bearer.nonsense"] });
    expect(await page.closed).toMatchObject({ code: 4401 });
    expect(await refusalOf(running.url, {}, "/elsewhere")).toMatchObject({ status: 404 });
  });
});

describe("a message is answered once, and one that is wrong by the name of its field", () => {
  test.each([
    [{ type: "dance" }, { error: "invalid_request", message: expect.stringMatching(/identify, subscribe/) }],
    [{ type: "subscribe" }, { error: "invalid_request", param: "topics" }],
    [{ type: "subscribe", topics: ["weather"] }, { error: "topic_unknown" }],
    [{ type: "subscribe", topics: ["balance:acct_of_another"] }, { error: "topic_forbidden" }],
    [
      { type: "identify", clientSessionId: "short" },
      { error: "invalid_request", param: "clientSessionId" },
    ],
    [
      { type: "ping", extra: 1 },
      { error: "invalid_request", param: "extra" },
    ],
    [{ type: "action", data: { type: "init" } }, { error: "not_identified" }],
    [
      { type: "action", data: { type: "fly" } },
      { error: "invalid_request", message: expect.stringMatching(/data.type: must be init, prompt/) },
    ],
    [
      { type: "action", data: { type: "prompt", userInputId: "p" } },
      { error: "invalid_request", param: "data.prompt" },
    ],
    [
      { type: "action", data: { type: "tool-call-response", requestId: "r" } },
      { error: "invalid_request", param: "data.output" },
    ],
    [
      { type: "action", data: { type: "tool-call-response", requestId: "r", piece: "1" } },
      { error: "invalid_request", param: "data.index" },
    ],
  ])("%j", async (message, wanted) => {
    const { key } = await running.account();
    expect(await open(running.url, key).say(message)).toMatchObject({ success: false, ...wanted });
  });

  test("also what is not JSON, with no number to answer under; ten of those close the socket", async () => {
    const { key } = await running.account();
    const peer = open(running.url, key);
    await peer.say({ type: "ping" });
    for (let i = 0; i < 10; i++) peer.socket.send("{");
    expect(await peer.until((each) => each.txid === null)).toMatchObject({ error: "invalid_json" });
    expect(await peer.closed).toMatchObject({ code: 4400 });
  });
});

describe("a socket is cut, with the reason,", () => {
  test.each([
    ["for a message above 64 KiB", 1009, (peer: Peer) => peer.socket.send(`"${"x".repeat(70_000)}"`)],
    ["for a binary message", 1003, (peer: Peer) => peer.socket.send(Buffer.from("{}"))],
    [
      "for a flood",
      4429,
      (peer: Peer) => {
        for (let i = 0; i < 1000; i++) peer.socket.send(JSON.stringify({ type: "ping", txid: i }));
      },
    ],
  ])("%s", async (_, code, offend) => {
    const { key } = await running.account();
    const peer = open(running.url, key);
    await peer.say({ type: "ping" });
    offend(peer);
    const end = await peer.closed;
    expect(end.code).toBe(code);
    expect(end.reason).not.toBe("");
  });

  test("when it gives no sign of life; one that only answers pings stays, also when the server stood still", async () => {
    const { key } = await running.account();
    const settings = { ...FAST, dropMilliseconds: DROP_MILLISECONDS };
    const strict = await startRunning(running.databaseUrl, 0, {}, {}, { settings });
    try {
      const lively = open(strict.url, key);
      await lively.say({ type: "ping" });
      const silent = open(strict.url, key, { autoPong: false });
      expect(await silent.closed).toMatchObject({ code: 4408 });
      expect(await lively.say({ type: "ping" })).toMatchObject({ success: true });
      const until = performance.now() + DROP_MILLISECONDS * 1.2;
      while (performance.now() < until);
      expect(await lively.say({ type: "ping" })).toMatchObject({ success: true });
      expect(lively.socket.readyState).toBe(lively.socket.OPEN);
    } finally {
      await strict.close();
    }
  });
});

test("many sockets that talk at once lose no answer", async () => {
  const { key } = await running.account();
  const many = Array.from({ length: 200 }, () => open(running.url, key));
  await Promise.all(many.map((peer) => peer.say({ type: "ping" })));
  await Promise.all(many.flatMap((peer) => Array.from({ length: 20 }, () => peer.say({ type: "ping" }))));
  for (const { heard, socket } of many) {
    expect(heard.map(({ txid }) => txid)).toEqual(Array.from({ length: 21 }, (_, txid) => txid));
    socket.close();
  }
});

test("a client that does not read is cut, and what waits for it is bounded", async () => {
  const { key, post } = await running.account("1000");
  for (let i = 0; i < 100; i++)
    await post("/v1/holds", { id: `slow_${i}`, amount: "1", feature: "x".repeat(60) });
  const peer = open(running.url, key);
  await peer.say({ type: "subscribe", topics: ["entries", "holds"] });
  await peer.push("entries");
  const before = running.sockets.size;
  peer.socket.pause();
  // Until the system's own buffers are full, and ours after them.
  for (let i = 0; running.sockets.size === before; i++) {
    expect(i).toBeLessThan(5000);
    await post("/v1/holds/slow_1/extend", { id: `extend_${i}`, amount: "0.001" });
  }
  peer.socket.resume();
  expect((await peer.closed).code).not.toBe(1000);
}, 20_000);

describe("a credential that ends closes its sockets:", () => {
  test("a key revoked on another server, and one that expires", async () => {
    const { id, key, keyId } = await running.account();
    const revoked = open(running.url, key);
    await revoked.say({ type: "ping" });
    const expiresAt = addSeconds(running.clock.time, 60);
    const made = await running.engine.keys.create({ accountId: id, by: "test", expiresAt });
    if (made.kind !== "created") throw new Error("no key");
    const expired = open(running.url, made.key);
    await expired.say({ type: "ping" });
    await other.engine.keys.revoke(keyId);
    expect(await revoked.closed).toEqual({ code: 4401, reason: "This API key has been revoked" });
    expect(await expired.say({ type: "ping" })).toMatchObject({ success: true });
    running.clock.time = addSeconds(running.clock.time, 61);
    expect(await expired.closed).toEqual({ code: 4401, reason: "This API key has expired" });
  });

  test("an access token whose session ended, long before it expires itself", async () => {
    const person = await browserUser();
    const peer = open(running.url, person.token);
    await peer.say({ type: "ping" });
    await running.identity.endAllSessions(person.id);
    expect(await peer.closed).toMatchObject({ code: 4401 });
  });
});

describe("pushes", () => {
  test("bring the state at once, and every change of balance, holds and entries", async () => {
    const { id, key, post } = await running.account("100");
    const peer = open(running.url, key);
    await peer.say({ type: "subscribe", topics: ["balance", `holds:${id}`, "entries"] });
    expect(await peer.push("balance")).toMatchObject({
      accountId: id,
      available: "100",
      held: "0",
      owed: "0",
    });
    expect(await peer.push("holds")).toMatchObject({ holds: [] });
    await post("/v1/holds", { id: "h1", amount: "30" });
    expect(await peer.push("balance", (data) => data.held === "30")).toMatchObject({ available: "70" });
    await peer.push("holds", ({ holds }) => holds[0]?.id === `h1` && holds[0].amount === "30");
    await post("/v1/holds/h1/settle", { amount: "12.5" });
    await peer.push("balance", (data) => data.available === "87.5" && data.held === "0");
    await peer.push("holds", ({ holds }) => holds.length === 0);
    const { entries } = await peer.push("entries", (data) => data.entries[0].availableAfter === "87.5");
    expect(entries.length).toBeGreaterThan(2);
  });

  test("reach every device of the account on every server, and nobody else", async () => {
    const { id, key } = await running.account("5");
    const stranger = await running.account("7");
    const devices = [open(running.url, key), open(running.url, key), open(other.url, key)];
    const elsewhere = open(other.url, stranger.key);
    for (const peer of [...devices, elsewhere]) {
      await peer.say({ type: "subscribe", topics: ["balance"] });
      await peer.push("balance");
    }
    await give(id, "grant_far", "15");
    for (const peer of devices) await peer.push("balance", (data) => data.available === "20");
    expect(elsewhere.heard.filter(({ type }) => type === "push").length).toBe(1);
  });

  test("tell of notices, whichever process and transaction wrote them", async () => {
    const { id, key } = await running.account();
    const peer = open(other.url, key);
    await peer.say({ type: "subscribe", topics: ["notices"] });
    await peer.push("notices", (data) => data.unread === 0);
    const told = { id: "n1", accountId: id, kind: "system_message", title: "Hello", text: "There" } as const;
    await notify(running.engine.pool, running.clock, told);
    const { unread, notices } = await peer.push("notices", (data) => data.unread === 1);
    expect([unread, notices[0].title]).toEqual([1, "Hello"]);
  });

  test("end with the subscription", async () => {
    const { id, key } = await running.account("5");
    const peer = open(running.url, key);
    const witness = open(running.url, key);
    for (const each of [peer, witness]) {
      await each.say({ type: "subscribe", topics: ["balance"] });
      await each.push("balance");
    }
    await peer.say({ type: "unsubscribe", topics: ["balance"] });
    await give(id, "grant_end", "1");
    await witness.push("balance", (data) => data.available === "6");
    await peer.say({ type: "ping" });
    expect(peer.heard.filter(({ type }) => type === "push").length).toBe(1);
  });

  test("keep up with a busy account: what is shown last is what there is", async () => {
    const { key, post } = await running.account("1000");
    const peer = open(other.url, key);
    await peer.say({ type: "subscribe", topics: ["balance"] });
    const spend = async (id: string): Promise<unknown> => {
      const { status } = await post("/v1/spend", { id, amount: "1" });
      return status === 503 ? spend(id) : expect(status).toBe(200);
    };
    await Promise.all(Array.from({ length: 200 }, (_, i) => spend(`s${i}`)));
    await peer.push("balance", (data) => data.available === "800");
  });
});
