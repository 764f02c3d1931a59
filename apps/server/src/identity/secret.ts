import { randomBytes } from "node:crypto";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SettingsError } from "../settings/error.ts";

const SHORTEST = 32;

/** What the sandbox keeps in files of their own, and what is lost with each. */
const LOSS = {
  secret: "everybody signs in anew",
  "master-key": "what is encrypted cannot be read any more",
} as const;

type Kept = keyof typeof LOSS;

/** A secret of the sandbox's own, 32 random bytes, made at its first start and readable by its user alone. It appears
 *  whole or not at all, and whoever is first decides, also where several processes start at once.
 *  Throws: the file was cut. */
export async function keptSecret(dataDir: string, name: Kept = "secret"): Promise<string> {
  const path = join(dataDir, name);
  const known = await read(path, name);
  if (known !== null) return known;
  const draft = `${path}.${randomBytes(6).toString("hex")}`;
  await writeFile(draft, `${randomBytes(32).toString("base64url")}\n`, { mode: 0o600 });
  try {
    await link(draft, path);
  } catch (error) {
    if (codeOf(error) !== "EEXIST") throw error;
  } finally {
    await rm(draft);
  }
  return (await read(path, name))!;
}

async function read(path: string, name: Kept): Promise<string | null> {
  try {
    const secret = (await readFile(path, "utf8")).trim();
    if (secret.length >= SHORTEST) return secret;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
  throw new SettingsError(`${path}: is cut; delete it, and ${LOSS[name]}`);
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code;
