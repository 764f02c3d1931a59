import { startScriptedServer } from "@bursar/client/testing";
import { expect, test } from "vitest";
import { createPaint } from "../output/paint.ts";
import { bursar } from "../testing/bursar.ts";
import { rotationText } from "./rotate.ts";

const look = { paint: createPaint(false), nowMilliseconds: 0 };
const DONE = { masterKeyId: "1f2e3d4c5b6a", rewrapped: 12, remaining: 0, damaged: [], missing: [] };

test("a rotation goes on until nothing is left, and counts it all", async () => {
  const server = await startScriptedServer();
  try {
    server.on(
      "POST /v1/encryption/rotate",
      { status: 200, body: { ...DONE, rewrapped: 10_000, remaining: 12 } },
      { status: 200, body: DONE },
    );
    const environment = { BURSAR_URL: server.url, BURSAR_ADMIN_KEY: "k" };
    const { code, stdout } = await bursar(["keys", "rotate"], { environment });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout: "10,012 keys rewrapped under the master key 1f2e3d4c5b6a; no other is in use.\n",
    });
    expect(server.requests).toHaveLength(2);
  } finally {
    await server.close();
  }
});

test("what could not be rewrapped is named", () => {
  const missing = [{ masterKeyId: "aaaaaaaaaaaa", dataKeys: 3 }];
  const text = rotationText({ ...DONE, damaged: ["acct_1"], missing }, look);
  expect(text).toContain("aaaaaaaaaaaa is not set, and 3 keys");
  expect(text).toContain("acct_1 is damaged");
});
