/** Whoever is signed out spends no more: what runs for them ends with their sign-in, wherever its client is. */
import type { GrantId } from "@bursar/contract/ids";
import { addSeconds } from "@bursar/contract/instant";
import { credits } from "@bursar/contract/money";
import { grant } from "@bursar/engine/grant/grant";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { openBrowser } from "./browser.ts";
import { type Running, startRunning } from "./running.ts";
import { openPeer, type Peer } from "./socket-peer.ts";

const PATIENCE = { timeout: 30_000, interval: 50 };
/** Several rechecks. */
const A_WHILE_MILLISECONDS = 1000;
const password = "correct horse 9";
let model: SandboxModel;
let running: Running;
/** Another server on the same database. */
let other: Running;
let people = 0;

beforeAll(async () => {
  model = await startSandboxModel();
  const upstream = { name: "box", url: model.url, models: ["small"], modelNames: { small: "sandbox-small" } };
  const start = (databaseUrl?: string) =>
    startRunning(
      databaseUrl,
      0,
      {},
      { upstreams: [upstream] },
      { settings: { recheckMilliseconds: 300, pingMilliseconds: 200 } },
    );
  running = await start();
  other = await start(running.databaseUrl);
});
afterAll(async () => {
  await other.close();
  await running.close();
  await model.close();
});

async function signedIn() {
  const username = `leaver${++people}`;
  const email = `${username}@example.org`;
  const made = await running.identity.people.create({ username, email, password, emailVerified: true });
  if (made.kind !== "created") throw new Error("not made");
  const { id, accountId } = made.person;
  const facts = { accountId, source: "purchase", by: "test" } as const;
  await grant(running.engine, { ...facts, id: `grant_of_${id}` as GrantId, amount: credits("100") });
  const { body } = await running.call(null, "POST", "/api/auth/login", { username, password });
  return { id, accountId, username, token: body.accessToken as string, refreshToken: body.refreshToken };
}

/** As a browser opens one. Unlike an access token, a cookie names no server. */
async function openByCookie(username: string, at: Running, query = ""): Promise<Peer> {
  const browser = openBrowser(running.url);
  await browser.post("/api/identity/sign-in/username", { username, password });
  const cookie = [...browser.jarOf()].map(([name, value]) => `${name}=${value}`).join("; ");
  return openPeer(at.url, null, { query, headers: { cookie, origin: at.url } });
}

const PROMPT = {
  ...{ type: "prompt", userInputId: "long", model: "small" },
  prompt: "[[sandbox: tokens=5000 interval=20ms]] x",
};
const identifyOf = (id: string) => ({ type: "identify", clientSessionId: `session_of_${id}` });

/** A prompt that has begun to answer. */
async function begun(peer: Peer, id: string): Promise<Peer> {
  await peer.say(identifyOf(id));
  await peer.say({ type: "action", data: PROMPT });
  await peer.until(({ data }) => data?.type === "response-chunk");
  return peer;
}

const gone = async (peer: Peer) => {
  peer.socket.terminate();
  await peer.closed;
};

async function endingOf(accountId: string): Promise<{ type: string; ended?: string; cost: string } | null> {
  const { rows } = await running.engine.pool.query<{ ending: string | null }>(
    "select ending from prompts where account_id = $1",
    [accountId],
  );
  const ending = rows[0]?.ending ?? null;
  return ending === null ? null : JSON.parse(ending);
}

/** It ends as one that its client cancels: nothing is held any more, and what was said is paid. */
async function expectCancelled(accountId: string): Promise<void> {
  const ending = await vi.waitFor(async () => {
    const found = await endingOf(accountId);
    expect(found).not.toBeNull();
    return found!;
  }, PATIENCE);
  expect(ending).toMatchObject({ type: "prompt-response", ended: "cancelled" });
  expect(Number(ending.cost)).toBeGreaterThan(0);
  const path = `/v1/balance?accountId=${accountId}`;
  const { available, held } = (await running.call(running.adminKey, "GET", path)).body;
  expect([held, credits(available)]).toEqual(["0", credits("100") - credits(ending.cost)]);
}

describe("a prompt of somebody who is signed out is cancelled:", () => {
  test.each([
    ["all their sessions ended", (id: string) => running.identity.endAllSessions(id)],
    ["they were disabled", (id: string) => running.identity.people.setDisabled(id, true)],
    ["they were deleted", (id: string) => running.identity.people.delete(id)],
    ["they asked to be deleted", (id: string) => running.identity.beginDeletion(id)],
  ])("%s", async (_, signOut) => {
    const { id, accountId, token } = await signedIn();
    const peer = await begun(openPeer(running.url, token), id);
    await signOut(id);
    expect(await peer.closed).toMatchObject({ code: 4401 });
    await expectCancelled(accountId);
  });

  test("while its client is away", async () => {
    const { id, accountId, token } = await signedIn();
    await gone(await begun(openPeer(running.url, token), id));
    await running.identity.endAllSessions(id);
    await expectCancelled(accountId);
  });

  test("in the process that has gone on with it, also when its client has left that one, too", async () => {
    const { id, accountId, username, token } = await signedIn();
    await gone(await begun(openPeer(running.url, token), id));
    const moved = await openByCookie(username, other);
    await moved.say(identifyOf(id));
    await moved.say({ type: "action", data: { ...PROMPT, seen: {} } });
    await moved.until(({ data }) => data?.type === "prompt-resumed");
    await moved.until(({ data }) => data?.type === "response-chunk");
    await gone(moved);
    await running.identity.endAllSessions(id);
    await expectCancelled(accountId);
  });

  test("an administrator's on another's account, when they are none any more", async () => {
    const { id, username } = await signedIn();
    const other = await signedIn();
    for (const one of [id, other.id]) await running.identity.people.setRole(one, "admin");
    const { accountId } = await signedIn();
    const peer = await begun(await openByCookie(username, running, `?accountId=${accountId}`), id);
    await running.identity.people.setRole(id, "user");
    expect(await peer.closed).toMatchObject({ code: 4403 });
    await expectCancelled(accountId);
  });
});

describe("a prompt runs on", () => {
  test("when an access token is too old, until its sign-in ends", async () => {
    const { id, accountId, token, refreshToken } = await signedIn();
    const { time } = running.clock;
    const pass = (seconds: number) => {
      for (const { clock } of [running, other]) clock.time = addSeconds(time, seconds);
    };
    pass(890);
    const peer = await begun(openPeer(running.url, token), id);
    pass(901);
    expect(await peer.closed).toMatchObject({ code: 4401 });
    await new Promise((resolve) => setTimeout(resolve, A_WHILE_MILLISECONDS));
    const { body } = await running.call(null, "POST", "/api/auth/refresh", { refreshToken });
    const back = openPeer(running.url, body.accessToken);
    expect((await back.say(identifyOf(id))).session).toMatchObject({ resumed: true, running: ["long"] });
    await gone(back);
    await running.identity.endAllSessions(id);
    await expectCancelled(accountId);
    pass(0);
  });

  test("when its client has come back by another sign-in, and the one that asked for it ends", async () => {
    const { id, accountId, username, token, refreshToken } = await signedIn();
    await gone(await begun(openPeer(running.url, token), id));
    const again = await running.call(null, "POST", "/api/auth/login", { username, password });
    const back = openPeer(running.url, again.body.accessToken);
    expect((await back.say(identifyOf(id))).session).toMatchObject({ running: ["long"] });
    expect(await running.identity.endFamily(refreshToken)).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, A_WHILE_MILLISECONDS));
    expect(await endingOf(accountId)).toBeNull();
    await back.say({ type: "action", data: { type: "cancel-user-input", userInputId: "long" } });
    await expectCancelled(accountId);
    back.socket.terminate();
  });
});
