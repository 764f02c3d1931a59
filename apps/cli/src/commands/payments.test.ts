import { startScriptedServer } from "@bursar/client/testing";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bursar } from "../testing/bursar.ts";

let server: Awaited<ReturnType<typeof startScriptedServer>>;
beforeAll(async () => {
  server = await startScriptedServer();
});
afterAll(() => server.close());

test("whoever got no answer to a refund can ask for the very same again", async () => {
  const words = ["payments", "refund", "pay_7", "--amount", "500", "--reason", "mistake", "--id", "back-7"];
  const environment = { BURSAR_URL: server.url, BURSAR_API_KEY: "k", BURSAR_ACCOUNT: "acct_7" };
  await bursar(words, { environment });
  expect(server.requests.at(-1)).toMatchObject({ body: { id: "back-7", amount: 500, reason: "mistake" } });
});
