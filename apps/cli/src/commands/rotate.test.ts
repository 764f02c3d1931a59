import { startScriptedServer } from "@bursar/client/testing";
import { expect, test } from "vitest";
import { createPaint } from "../output/paint.ts";
import { bursar } from "../testing/bursar.ts";
import { rotationText } from "./rotate.ts";

const look = { paint: createPaint(false), nowMilliseconds: 0 };
const DONE = {
  masterKeyId: "1f2e3d4c5b6a",
  rewrapped: 12,
  remaining: 0,
  damaged: [],
  missing: [],
  renewed: 0,
  unreadable: [],
};

test("a rotation goes on until nothing is left, and counts it all", async () => {
  const server = await startScriptedServer();
  try {
    server.on(
      "POST /v1/encryption/rotate",
      { status: 200, body: { ...DONE, rewrapped: 10_000, remaining: 12, renewed: 2 } },
      { status: 200, body: { ...DONE, rewrapped: 12, renewed: 1 } },
      { status: 200, body: { ...DONE, rewrapped: 0 } },
    );
    const environment = { BURSAR_URL: server.url, BURSAR_ADMIN_KEY: "k" };
    const { code, stdout } = await bursar(["keys", "rotate"], { environment });
    expect({ code, stdout }).toEqual({
      code: 0,
      stdout:
        "10,012 keys rewrapped under the master key 1f2e3d4c5b6a; no other is in use.\n3 second factors of an older version sealed under it.\n",
    });
    expect(server.requests).toHaveLength(3);
  } finally {
    await server.close();
  }
});

test("what could not be rewrapped is named", () => {
  const missing = [{ masterKeyId: "aaaaaaaaaaaa", dataKeys: 3 }];
  const text = rotationText({ ...DONE, damaged: ["acct_1"], missing, unreadable: ["user_1"] }, look);
  expect(text).toContain("aaaaaaaaaaaa is not set, and 3 keys");
  expect(text).toContain("acct_1 is damaged");
  expect(text).toContain("user_1 was made under another BURSAR_SECRET");
});
