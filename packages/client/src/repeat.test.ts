import { v1 } from "@bursar/contract/v1";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Client, createClient } from "./client.ts";
import { isRepeatable } from "./repeat.ts";
import { refusalBody, type ScriptedServer, startScriptedServer } from "./testing/scripted-server.ts";

let server: ScriptedServer;
let client: Client;

beforeEach(async () => {
  server = await startScriptedServer();
  client = createClient({ url: server.url, retry: { firstDelayMilliseconds: 1 } });
});

afterEach(() => server.close());

const BUSY = { status: 503, body: refusalBody("unavailable") };
const OK = { status: 200, body: {} };

const idsSent = () =>
  server.requests.map(({ body }) =>
    typeof body === "object" && body !== null && "id" in body ? body.id : null,
  );

/** A new operation that writes must be thought about here. */
test("only what has no id of its own is not repeated", () => {
  const once = Object.values(v1).filter((operation) => !isRepeatable(operation));
  expect(once.map((operation) => operation.name)).toEqual([
    "deletePerson",
    "createInvite",
    "requestCredits",
    "addPaymentMethod",
    "createGiftCards",
    "createPromoCode",
    "createKey",
    "putPriceBook",
  ]);
});

test.each([
  ["spend", "/v1/spend", /^op_/, () => client.spend({ amount: "1" })],
  ["createHold", "/v1/holds", /^hold_/, () => client.createHold({ amount: "1" })],
  ["createGrant", "/v1/grants", /^grant_/, () => client.createGrant({ amount: "1" })],
  ["extendHold", "/v1/holds/h/extend", /^op_/, () => client.extendHold("h", { amount: "1" })],
])("%s without an id gets one, and every retry carries the same", async (_, path, shape, call) => {
  server.on(`POST ${path}`, BUSY, BUSY, OK);
  await call();
  expect(idsSent()).toHaveLength(3);
  expect(new Set(idsSent()).size).toBe(1);
  expect(idsSent()[0]).toMatch(shape);
});

test("the caller's id is kept", async () => {
  server.on("POST /v1/spend", BUSY, OK);
  await client.spend({ id: "mine", amount: "1" });
  expect(idsSent()).toEqual(["mine", "mine"]);
});

test("a connection that breaks after the work was done is asked again under the same id", async () => {
  server.on("POST /v1/spend", (response) => void response.destroy(), OK);
  await client.spend({ amount: "1" });
  expect(new Set(idsSent()).size).toBe(1);
  expect(idsSent()).toHaveLength(2);
});

test("an answer that breaks off in the middle is asked again", async () => {
  const cut = { "content-length": "100" };
  server.on(
    "GET /v1/balance",
    (response) => void response.writeHead(200, cut).write("{", () => response.destroy()),
    OK,
  );
  await client.getBalance();
  expect(server.requests).toHaveLength(2);
});

test("a key is not created twice after a 503 or a lost answer", async () => {
  server.on("POST /v1/keys", BUSY, (response) => void response.destroy(), OK);
  await expect(client.createKey({ accountId: "a" })).rejects.toMatchObject({ status: 503 });
  await expect(client.createKey({ accountId: "a" })).rejects.toMatchObject({ reason: "connection_lost" });
  expect(server.requests).toHaveLength(2);
});

test("a 429 is retried for all, because nothing was done", async () => {
  server.on("POST /v1/keys", { status: 429, body: refusalBody("rate_limited") }, OK);
  await client.createKey({ accountId: "a" });
  expect(server.requests).toHaveLength(2);
});

test("retries end, with the last error", async () => {
  server.on("GET /v1/balance", BUSY);
  await expect(client.getBalance()).rejects.toMatchObject({ code: "unavailable" });
  expect(server.requests).toHaveLength(4);
});
