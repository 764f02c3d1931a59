import { type AccountId, newAccountId } from "@bursar/contract/ids";
import { connectionOptions } from "@bursar/database/connection";
import { createTestDatabase, type TestDatabase } from "@bursar/database/testing";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Changes, openChanges } from "../src/change/changes.ts";
import type { FanOut, FanOutListener } from "../src/change/fan-out.ts";
import { messagesOf, readMessage } from "../src/change/message.ts";
import { joinFanOuts, openRedisFanOut } from "../src/change/redis.ts";
import { openNotifyFanOut } from "../src/change/store-notify.ts";
import { clientsOf, silentLog } from "./ledger-on-test-database.ts";
import { Proxy } from "./proxy.ts";
import { startRespServer } from "./resp-server.ts";

let database: TestDatabase;
const opened: Changes[] = [];
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(async () => {
  await Promise.all(opened.map((changes) => changes.close()));
  await database.drop();
});

/** Carries messages within this process, unless it fails. */
function fanOutOn(line: Set<FanOutListener>, failing: { readonly now: boolean }): FanOut {
  return {
    publish: async (message) => {
      if (failing.now) throw new Error("cut");
      for (const listener of line) listener.onMessage(message);
    },
    listen: (listener) => {
      line.add(listener);
      listener.onConnected();
    },
    close: () => Promise.resolve(),
  };
}

/** As one process has it. */
function openProcess(url = database.url): Changes {
  const fanOut = openNotifyFanOut({ connect: clientsOf(url), log: silentLog });
  const changes = openChanges({ fanOut, log: silentLog });
  opened.push(changes);
  return changes;
}

function listenTo(changes: Changes) {
  const heard = new Set<AccountId>();
  let doubts = 0;
  const stop = changes.listen({
    onChanged: (ids) => {
      for (const id of ids) heard.add(id);
    },
    onDoubt: () => {
      doubts += 1;
    },
  });
  return { heard, stop, doubts: () => doubts };
}

async function until(isSo: () => boolean, act: () => void = () => undefined): Promise<void> {
  const end = performance.now() + 30_000;
  while (!isSo()) {
    if (performance.now() > end) throw new Error("never so");
    act();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe("what has changed is told", () => {
  test("to every listener of this process at once, and to those of others soon after", async () => {
    const [here, there] = [openProcess(), openProcess()];
    const [mine, theirs] = [listenTo(here), listenTo(there)];
    const id = newAccountId();
    here.changed([id]);
    expect(mine.heard.has(id)).toBe(true);
    await until(
      () => theirs.heard.has(id),
      () => here.changed([id]),
    );
    const many = Array.from({ length: 3000 }, () => newAccountId());
    // As the ledger gives them: to be gone through once.
    here.changed(new Set(many).values());
    await until(() => many.every((each) => theirs.heard.has(each)));
    expect(many.every((each) => mine.heard.has(each))).toBe(true);
    theirs.stop();
    mine.stop();
  });

  test("also when it could not be sent at first: the last change of an account is not lost", async () => {
    const [line, failing] = [new Set<FanOutListener>(), { now: false }];
    const openOn = () => {
      const changes = openChanges({ fanOut: fanOutOn(line, failing), log: silentLog });
      opened.push(changes);
      return changes;
    };
    const [here, there] = [openOn(), openOn()];
    const { heard } = listenTo(there);
    failing.now = true;
    const [few, many] = [[newAccountId()], Array.from({ length: 20_001 }, () => newAccountId())];
    const listener = listenTo(there);
    here.changed(few);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(heard.size).toBe(0);
    failing.now = false;
    await until(() => heard.has(few[0]!));
    const doubts = listener.doubts();
    here.changed(many);
    await until(() => listener.doubts() > doubts);
    const later = newAccountId();
    here.changed([later]);
    await until(() => heard.has(later));
  });

  test("as a doubt to who is new, however late that is heard: nobody was told what changed before", async () => {
    const line = new Set<FanOutListener>();
    const open = (publish: (message: string) => Promise<void>) => {
      const fanOut = { ...fanOutOn(line, { now: false }), publish };
      const changes = openChanges({ fanOut, log: silentLog });
      opened.push(changes);
      return changes;
    };
    const say = async (message: string) => {
      for (const listener of line) listener.onMessage(message);
    };
    const held: string[] = [];
    const hold = async (message: string): Promise<void> => {
      held.push(message);
    };
    const send = { now: hold };
    const here = open(say);
    const { heard, doubts, stop } = listenTo(open((message) => send.now(message)));
    here.changed([newAccountId()]);
    expect(doubts()).toBe(0);
    send.now = say;
    for (const message of held.splice(0)) await say(message);
    await until(() => doubts() === 1);
    expect(heard.size).toBe(0);
    await say(JSON.stringify({ from: "one", kind: "doubt", to: "another" }));
    expect(doubts()).toBe(1);
    await say(JSON.stringify({ from: "one", kind: "doubt" }));
    expect(doubts()).toBe(2);
    stop();
  });

  test("also when the connection to the others was broken meanwhile", async () => {
    const named = (applicationName: string) => {
      const connect = () => new pg.Client(connectionOptions({ url: database.url, applicationName }));
      const changes = openChanges({ fanOut: openNotifyFanOut({ connect, log: silentLog }), log: silentLog });
      opened.push(changes);
      return changes;
    };
    const [here, there] = [named("changes-here"), named("changes-there")];
    const { heard } = listenTo(there);
    const change = () => {
      const id = newAccountId();
      here.changed([id]);
      return id;
    };
    // Until each has heard of the other.
    await until(() => heard.size > 0, change);
    const client = clientsOf(database.url)();
    await client.connect();
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity
       where datname = current_database() and application_name = 'changes-here'`;
    expect((await client.query(kill)).rowCount).toBe(1);
    await client.end();
    const late = Array.from({ length: 5 }, change);
    await until(() => late.every((id) => heard.has(id)));
  });

  test("as a doubt about everything, when the connection has been away", async () => {
    const { proxy, url } = await Proxy.before(database.url);
    const far = openProcess(url);
    const near = openProcess();
    const listener = listenTo(far);
    await until(() => listener.doubts() > 0);
    const before = listener.doubts();
    await proxy.close();
    await proxy.open();
    await until(() => listener.doubts() > before);
    const id = newAccountId();
    await until(
      () => listener.heard.has(id),
      () => near.changed([id]),
    );
    listener.stop();
    await proxy.close();
  });
});

test("by Redis where that is set, also after it was away, and by the database what only that knows", async () => {
  const redis = await startRespServer();
  const open = () => {
    const notify = openNotifyFanOut({ connect: clientsOf(database.url), log: silentLog });
    const fanOut = joinFanOuts(notify, openRedisFanOut({ url: redis.url, log: silentLog }));
    const changes = openChanges({ fanOut, log: silentLog });
    opened.push(changes);
    return changes;
  };
  const [here, there] = [open(), open()];
  const listener = listenTo(there);
  const hears = async () => {
    const id = newAccountId();
    await until(
      () => listener.heard.has(id),
      () => here.changed([id]),
    );
  };
  await hears();
  const before = listener.doubts();
  await redis.close();
  await redis.open();
  await until(() => listener.doubts() > before);
  await hears();
  const fromDatabase = newAccountId();
  const message = JSON.stringify({ from: "database", kind: "changed", accountIds: [fromDatabase] });
  const client = clientsOf(database.url)();
  await client.connect();
  await client.query("select pg_notify('bursar_changes', $1)", [message]);
  await client.end();
  await until(() => listener.heard.has(fromDatabase));
  listener.stop();
  await Promise.all([here.close(), there.close()]);
  await redis.close();
});

describe("messages", () => {
  test("are below the limit of NOTIFY and together carry every account once", () => {
    const ids = Array.from({ length: 2000 }, (_, i) => `acct_${i}_${"x".repeat(i % 100)}` as AccountId);
    const texts = [...messagesOf("me", ids)];
    expect(Math.max(...texts.map((text) => Buffer.byteLength(text)))).toBeLessThan(8000);
    const heard = texts
      .map(readMessage)
      .flatMap((message) => (message?.kind === "changed" ? message.accountIds : []));
    expect(heard).toEqual(ids);
  });

  test.each([
    "",
    "{",
    "null",
    "[]",
    '{"from":"x"}',
    '{"from":"x","kind":"dance"}',
    '{"from":"x","kind":"changed"}',
  ])("from another version are passed over: %s", (text) => expect(readMessage(text)).toBeNull());
});
