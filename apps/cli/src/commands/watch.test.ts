import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Running, startRunning } from "../../../server/test/running.ts";
import { createPaint } from "../output/paint.ts";
import { bursar, PROGRAM } from "../testing/bursar.ts";
import { fitted, openScreen } from "../watch/screen.ts";
import { viewOf, type Watched } from "../watch/view.ts";

let running: Running;
const watching = new Set<ReturnType<typeof spawn>>();

beforeAll(async () => {
  running = await startRunning();
});
afterEach(() => {
  for (const child of watching) child.kill("SIGKILL");
  watching.clear();
});
afterAll(() => running.close());

function watchAs(key: string, ...args: string[]) {
  const env = { PATH: process.env["PATH"], HOME: tmpdir(), BURSAR_URL: running.url, BURSAR_API_KEY: key };
  const child = spawn(process.execPath, [PROGRAM, "watch", ...args], { env, cwd: tmpdir() });
  watching.add(child);
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on("line", (line) => {
    lines.push(line);
    for (const look of waiting) look();
  });
  const exit = new Promise<number | null>((resolve) => child.on("exit", resolve));
  const line = (wanted: RegExp) =>
    new Promise<string>((resolve) => {
      const look = () => {
        const found = lines.find((each) => wanted.test(each));
        if (found !== undefined) resolve(found);
      };
      waiting.add(look);
      look();
    });
  return { child, exit, line };
}

describe("bursar watch", () => {
  test("without a terminal writes a line for each change, and ends well by Ctrl-C", async () => {
    const { key, post } = await running.account("100");
    const { child, exit, line } = watchAs(key);
    await line(/^balance 100 credits available, 0 held$/);
    await post("/v1/holds", { id: "h1", amount: "30" });
    await line(/^balance 70 credits available, 30 held$/);
    expect(await line(/UTC hold /)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC hold 30 h1$/);
    child.kill("SIGINT");
    expect(await exit).toBe(0);
  });

  test("writes JSON lines by topic", async () => {
    const { id, key, post } = await running.account("100");
    const { line } = watchAs(key, "--json");
    expect(JSON.parse(await line(/"topic":"balance"/))).toMatchObject({ accountId: id, available: "100" });
    await post("/v1/spend", { id: "s1", amount: "1.5" });
    expect(JSON.parse(await line(/"topic":"balance".*"98\.5"/))).toMatchObject({ available: "98.5" });
  });

  test("says so when nothing answers", async () => {
    const environment = { BURSAR_URL: "http://127.0.0.1:9", BURSAR_API_KEY: "x" };
    const { code, stderr } = await bursar(["watch"], { environment });
    expect([code, stderr]).toEqual([5, expect.stringContaining("http://127.0.0.1:9")]);
  });

  test("says so when the key is not good", async () => {
    const environment = { BURSAR_URL: running.url, BURSAR_API_KEY: "bsk_nonsense" };
    const { code, stderr } = await bursar(["watch"], { environment });
    expect(code).toBe(4);
    expect(stderr).toContain("This API key is not known");
  });
});

const WATCHED: Watched = {
  balance: {
    accountId: "acct_1",
    seq: 4,
    available: "1234.5",
    held: "30",
    owed: "0",
    net: "1234.5",
    frozen: false,
    nextExpiry: null,
  },
  holds: {
    accountId: "acct_1",
    holds: [
      {
        id: "hold\u001b[31m_1",
        parentId: null,
        amount: "30",
        reported: "1.25",
        feature: null,
        createdAt: "2027-01-01T00:00:00.000Z",
        expiresAt: "2027-01-01T00:10:00.000Z",
      },
    ],
  },
  entries: { accountId: "acct_1", entries: [] },
  isConnected: true,
};
const LOOK = { paint: createPaint(false), nowMilliseconds: Date.parse("2027-01-01T00:05:00.000Z") };

describe("the view on a terminal", () => {
  test("shows balance and holds, and lets nothing steer the terminal", () => {
    const lines = viewOf(WATCHED, LOOK);
    expect(lines[0]).toBe("1,234.5 credits available in acct_1");
    expect(lines.join("\n")).toMatch(/hold\[31m_1 +30 +1\.25 +in 5 minutes/);
    expect(viewOf({ ...WATCHED, isConnected: false }, LOOK)[0]).toContain("(connecting again)");
  });

  test("is drawn over itself, within the terminal's height", () => {
    let written = "";
    const out = Object.assign(
      new Writable({
        write: (chunk, _, done) => {
          written += String(chunk);
          done();
        },
      }),
      { rows: 4, columns: 20, isTTY: true },
    ) as unknown as NodeJS.WriteStream;
    const screen = openScreen({ look: () => LOOK }, out);
    screen.show(WATCHED);
    screen.show(WATCHED);
    screen.show({ ...WATCHED, balance: { ...WATCHED.balance!, available: "9" } });
    screen.close();
    expect(written.split("\u001b[3A").length).toBe(2);
    expect(written).toContain("1,234.5 credits avai\u001b[K\n");
    expect(written.endsWith("\u001b[?25h")).toBe(true);
  });

  test("cuts lines to the terminal's width, and leaves no colour open", () => {
    const { bold } = createPaint(true);
    expect(fitted(`${bold("1234567")} 89`, 4)).toBe(bold("1234"));
    expect(fitted(`a${bold("b")}c`, 10)).toBe(`a${bold("b")}c`);
  });
});
