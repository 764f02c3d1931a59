import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";

interface Install {
  readonly installIfNeeded: (root: string) => Promise<number>;
}

const { installIfNeeded }: Install = await import(new URL("install.mjs", import.meta.url).href);

it("is content with what somebody else has installed, where it may not write beside it", async () => {
  const root = await mkdtemp(join(tmpdir(), "bursar-install-"));
  await writeFile(join(root, "package-lock.json"), "{}");
  await mkdir(join(root, "node_modules"));
  await writeFile(join(root, "node_modules", ".package-lock.json"), "{}");
  // Nobody can write through it, not even root, whom no mode keeps out.
  await symlink(join(root, "nowhere", "hash"), join(root, "node_modules", ".bursar-lockfile-hash"));
  expect(await installIfNeeded(root)).toBe(0);
  await rm(root, { recursive: true });
});
