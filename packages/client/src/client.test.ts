import { sandbox } from "@bursar/contract/sandbox";
import { v1 } from "@bursar/contract/v1";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test } from "vitest";
import { type Client, createClient } from "./client.ts";
import { BursarError, BursarUnreachable } from "./errors.ts";
import { refusalBody, type ScriptedServer, startScriptedServer } from "./testing/scripted-server.ts";

let server: ScriptedServer;
let client: Client;

beforeEach(async () => {
  server = await startScriptedServer();
  client = createClient({ url: server.url, key: "key-1", retry: { firstDelayMilliseconds: 1 } });
});

afterEach(() => server.close());

const SPENT = { id: "op_1", charged: "1", available: "9" };

async function whole(parts: AsyncIterable<string>): Promise<string> {
  let text = "";
  for await (const part of parts) text += part;
  return text;
}

describe("a month's usage as CSV", () => {
  test("comes in parts, whatever bytes a part ends with", async () => {
    server.on("GET /v1/usage/export", (response) => {
      const bytes = Buffer.from("at,model\r\n2026,é\r\n");
      const cut = bytes.indexOf(0xc3) + 1;
      response.writeHead(200, { "content-type": "text/csv" });
      response.write(bytes.subarray(0, cut), () => response.end(bytes.subarray(cut)));
    });
    expect(await whole(client.usageCsv({ month: "2026-11" }))).toBe("at,model\r\n2026,é\r\n");
    expect(server.requests[0]?.path).toBe("/v1/usage/export?month=2026-11&format=csv");
  });

  test("that breaks off is not taken for a whole one", async () => {
    server.on("GET /v1/usage/export", (response) => {
      response.writeHead(200, { "content-type": "text/csv" });
      response.write("at,model\r\n", () => response.destroy());
    });
    await expect(whole(client.usageCsv({ month: "2026-11" }))).rejects.toMatchObject({
      reason: "connection_lost",
    });
  });
});

describe("a call", () => {
  test("exists for every operation of the contract", () => {
    for (const name of Object.keys({ ...v1, ...sandbox }))
      expect(client).toHaveProperty(name, expect.any(Function));
  });

  test("sends the body as JSON, with the key", async () => {
    server.on("POST /v1/spend", { status: 200, body: SPENT });
    expect(await client.spend({ id: "op_1", amount: "1" })).toEqual(SPENT);
    const [request] = server.requests;
    expect(request?.body).toEqual({ id: "op_1", amount: "1" });
    expect(request?.headers).toMatchObject({
      authorization: "Bearer key-1",
      "content-type": "application/json",
    });
  });

  test("puts the id into the path, whatever characters it has", async () => {
    server.on("POST /v1/holds/run%2F1%3Aa/settle", { status: 200, body: { state: "settled" } });
    await client.settleHold("run/1:a", { amount: "3" });
    expect(server.requests[0]?.body).toEqual({ amount: "3" });
  });

  test("puts the fields of a GET into the query, and leaves out what is undefined", async () => {
    server.on("GET /v1/usage", { status: 200, body: {} });
    await client.getUsage({ groupBy: "model", from: undefined });
    expect(server.requests[0]?.path).toBe("/v1/usage?groupBy=model");
  });

  test("with an empty id is refused here, because the path would mean another question", async () => {
    await expect(client.getAccount("")).rejects.toThrow("getAccount needs an id");
    expect(server.requests).toEqual([]);
  });

  test("takes options last, also where there are no fields", async () => {
    await expect(client.revokeKey("key_1", { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
    await expect(client.getBalance({}, { signal: AbortSignal.abort("enough") })).rejects.toBe("enough");
  });

  test("is typed by the contract, both ways", () => {
    expectTypeOf(client.settleHold).parameter(0).toEqualTypeOf<string>();
    expectTypeOf(client.spend).returns.resolves.toEqualTypeOf<{
      id: string;
      charged: string;
      available: string;
    }>();
    expectTypeOf(client.getBalance).toBeCallableWith();
    // @ts-expect-error an amount is a string of credits, never a number
    void (() => client.spend({ amount: 1 }));
    // @ts-expect-error a grant needs an amount
    void (() => client.createGrant({ source: "promo" }));
  });
});

describe("the address", () => {
  test.each(["", "/", "/v1", "/v1/"])("may end in %j", async (end) => {
    server.on("GET /v1/balance", { status: 200, body: {} });
    await createClient({ url: server.url + end }).getBalance();
    expect(server.requests).toHaveLength(1);
  });

  test.each(["localhost:3000", "", "ftp://host"])("%j is refused, with what would be right", (url) => {
    expect(() => createClient({ url })).toThrow("must look like http://127.0.0.1:3000");
  });

  test("a key with a line break is refused without being shown", () => {
    expect(() => createClient({ url: server.url, key: "secret\n" })).toThrow(/^(?!.*secret).*printable/);
  });
});

describe("a refusal", () => {
  test("is thrown as BursarError with everything the server said", async () => {
    const body = refusalBody("insufficient_credits", {
      type: "insufficient_credits",
      available: "1",
      missing: "4",
    });
    server.on("POST /v1/holds", { status: 402, body });
    const error = await client.createHold({ amount: "5" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BursarError);
    expect(error).toMatchObject({
      status: 402,
      code: "insufficient_credits",
      type: "insufficient_credits",
      requestId: "req_test",
      available: "1",
      missing: "4",
      message: "refused: insufficient_credits",
    });
    expect(server.requests).toHaveLength(1);
  });

  test("names the field at fault", async () => {
    server.on("POST /v1/spend", { status: 422, body: refusalBody("invalid_request", { param: "amount" }) });
    await expect(client.spend({ amount: "-1" })).rejects.toMatchObject({ param: "amount" });
  });

  test("by something that is not Bursar says so, and shows the start of it", async () => {
    server.on("GET /v1/balance", { status: 404, body: "<html>Not here</html>" });
    await expect(client.getBalance()).rejects.toMatchObject({
      code: "unrecognised_answer",
      message: expect.stringContaining("<html>Not here</html>"),
    });
  });

  test("is also what a success that is not JSON counts as", async () => {
    server.on("GET /v1/balance", { status: 200, body: "<html>Welcome</html>" });
    await expect(client.getBalance()).rejects.toMatchObject({ status: 200, code: "unrecognised_answer" });
  });

  test("by a redirect names where it points, and the key does not follow", async () => {
    server.on("GET /v1/balance", { status: 301, headers: { location: "https://elsewhere.example/" } });
    await expect(client.getBalance()).rejects.toThrow("It points to https://elsewhere.example/");
  });
});

describe("silence", () => {
  test("is BursarUnreachable, with the address and the id to go on under", async () => {
    await server.close();
    const error = await client.spend({ id: "op_7", amount: "1" }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(BursarUnreachable);
    expect(error).toMatchObject({ reason: "refused", url: server.url, operationId: "op_7" });
  });

  test("of a server that takes too long is a timeout", async () => {
    server.on("GET /v1/balance", () => undefined);
    const impatient = createClient({ url: server.url, timeoutMilliseconds: 30, retry: { maxRetries: 0 } });
    await expect(impatient.getBalance()).rejects.toMatchObject({ reason: "timeout" });
  });

  test("of a host that does not exist says that its name is wrong", async () => {
    const lost = createClient({ url: "http://nowhere.invalid", retry: { maxRetries: 0 } });
    await expect(lost.getBalance()).rejects.toMatchObject({ reason: "unknown_host" });
  });

  test("of a port that fetch blocks is told as such, at once", async () => {
    const blocked = createClient({ url: "http://127.0.0.1:6000" });
    await expect(blocked.getBalance()).rejects.toMatchObject({ reason: "blocked_port" });
  });

  test("that the caller asked for is the caller's own reason", async () => {
    server.on("GET /v1/balance", () => undefined);
    const stop = new AbortController();
    setTimeout(() => stop.abort("enough"), 20);
    await expect(client.getBalance({}, { signal: stop.signal })).rejects.toBe("enough");
  });
});

describe("waitForReady", () => {
  test("resolves once the server serves", async () => {
    server.on("GET /ready", { status: 503 }, { status: 503 }, { status: 200, body: {} });
    await client.waitForReady();
    expect(server.requests).toHaveLength(3);
  });

  test("rejects with the last cause when it does not serve in time", async () => {
    await server.close();
    await expect(client.waitForReady({ timeoutMilliseconds: 60 })).rejects.toMatchObject({
      reason: "refused",
    });
  });
});

describe("pages", () => {
  test("everyEntry asks for the next page only when it is needed", async () => {
    server.on(
      "GET /v1/entries",
      { status: 200, body: { entries: [{ seq: 3 }, { seq: 2 }], nextCursor: "c2" } },
      { status: 200, body: { entries: [{ seq: 1 }], nextCursor: null } },
    );
    const entries = client.everyEntry({ limit: 2 });
    await entries.next();
    await entries.next();
    expect(server.requests).toHaveLength(1);
    expect((await entries.next()).value).toMatchObject({ seq: 1 });
    expect((await entries.next()).done).toBe(true);
    expect(server.requests.map((request) => request.path)).toEqual([
      "/v1/entries?limit=2",
      "/v1/entries?limit=2&cursor=c2",
    ]);
  });
});
