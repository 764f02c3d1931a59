import { startScriptedServer } from "@bursar/client/testing";
import { expect, test } from "vitest";
import { createPaint } from "../output/paint.ts";
import { bursar } from "../testing/bursar.ts";
import { usageCsv, usageText } from "./usage.ts";

const GROUP = { amount: "4.5", requests: 3, inputTokens: 30, cachedInputTokens: 6, outputTokens: 15 };
const USAGE = { from: "2026-10-01T00:00:00Z", to: "2026-11-01T00:00:00Z", total: GROUP };

test("sums as CSV have a title for each column, and no formulas", () => {
  const csv = usageCsv({ ...USAGE, groups: [{ ...GROUP, group: "=1+1", name: null }] }, "feature");
  expect(csv).toBe(
    "feature,credits,requests,inputTokens,cachedInputTokens,outputTokens\r\n'=1+1,4.5,3,30,6,15\r\n",
  );
});

test("sums by member name the people, also as CSV", () => {
  const groups = [
    { ...GROUP, group: "user_7", name: "ada" },
    { ...GROUP, group: "", name: null },
  ];
  const look = { paint: createPaint(false), nowMilliseconds: 0 };
  const text = usageText({ ...USAGE, groups }, "member", look);
  expect(text).toMatch(/MEMBER[^]*\nada .*\n- /);
  expect(usageCsv({ ...USAGE, groups }, "member")).toContain("user_7,4.5,3,30,6,15,ada\r\n,4.5");
});

test("an export is written as it comes, and a month that is none is named", async () => {
  await using server = await startScriptedServer();
  server.on("GET /v1/usage/export", { status: 200, body: "at,model\r\nx,small\r\n" });
  const environment = { BURSAR_URL: server.url, BURSAR_API_KEY: "k" };
  const { code, stdout } = await bursar(["usage", "export", "2026-11"], { environment });
  expect({ code, stdout }).toEqual({ code: 0, stdout: "at,model\r\nx,small\r\n" });
  const wrong = await bursar(["usage", "export", "2026-13"], { environment });
  expect(wrong.code).toBe(2);
  expect(wrong.stderr).toContain("such as 2026-11");
  const both = await bursar(["usage", "--csv", "--json"], { environment });
  expect(both.code).toBe(2);
});
