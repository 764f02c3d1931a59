import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { refusalBody, type ScriptedServer, startScriptedServer } from "@bursar/client/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { bursar, type SandboxFolder, sandboxFolder } from "../testing/bursar.ts";

let server: ScriptedServer;
let sandbox: SandboxFolder;

beforeEach(async () => {
  server = await startScriptedServer();
  sandbox = await sandboxFolder({ url: server.url, adminKey: "admin-key" });
});

afterEach(async () => {
  await server.close();
  await sandbox[Symbol.asyncDispose]();
});

describe("gift cards' codes, which are told once", () => {
  const create = (file: string) => bursar(["gift", "create", "5", "--csv", file], { folder: sandbox.path });
  const cards = { id: "batch_7", amount: "5", count: 1, cards: [], csv: "code\nA-B-C\n" };

  test("are in a new file, for its owner alone", async () => {
    server.on("POST /v1/gift-cards", { status: 201, body: cards });
    const file = join(sandbox.path, "cards.csv");
    expect((await create(file)).code).toBe(0);
    expect(await readFile(file, "utf8")).toBe(cards.csv);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  });

  test("take no other file's place: then no cards are made", async () => {
    const { code, stderr } = await create(join(sandbox.path, ".bursar", "sandbox.json"));
    expect(code).toBe(2);
    expect(stderr).toContain("sandbox.json cannot be written: EEXIST");
    expect((await create(join(sandbox.path, "no", "folder"))).code).toBe(2);
    expect(server.requests).toEqual([]);
  });

  test("leave no file behind when there are none", async () => {
    server.on("POST /v1/gift-cards", {
      status: 403,
      body: refusalBody("admin_required", { type: "permission_error" }),
    });
    const file = join(sandbox.path, "cards.csv");
    expect((await create(file)).code).toBe(4);
    await expect(stat(file)).rejects.toThrow("ENOENT");
  });
});
