import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { keptSecret } from "./secret.ts";

test("the sandbox makes one secret, keeps it, and shows it to its own user alone", async () => {
  const folder = await mkdtemp(join(tmpdir(), "bursar-secret-"));
  try {
    const made = await Promise.all([keptSecret(folder), keptSecret(folder), keptSecret(folder)]);
    expect(new Set(made).size).toBe(1);
    expect(made[0]).toMatch(/^[\w-]{43}$/);
    expect(await keptSecret(folder)).toBe(made[0]);
    expect((await stat(join(folder, "secret"))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(["secret"]);
    await writeFile(join(folder, "secret"), "");
    await expect(keptSecret(folder)).rejects.toThrow(/secret: is cut/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
