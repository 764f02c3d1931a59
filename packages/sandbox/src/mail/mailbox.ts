import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";

const storedMail = z.object({
  id: z.string(),
  number: z.int(),
  receivedAt: z.string(),
  from: z.string(),
  to: z.array(z.string()),
  subject: z.string(),
  text: z.string(),
  html: z.string().nullable(),
  messageId: z.string().nullable(),
});

export type StoredMail = z.output<typeof storedMail>;

export interface Mailbox {
  /** Keeps a mail; the oldest leaves when there are too many. */
  readonly put: (mail: Omit<StoredMail, "id" | "number">) => Promise<StoredMail>;
  /** Newest first; with an address, only what went there. */
  readonly list: (to?: string) => readonly StoredMail[];
  readonly get: (id: string) => StoredMail | null;
  readonly clear: () => Promise<void>;
}

const LIMIT = 500;
const SHAPE = /^mail_\d+\.json$/;

/** All mail of the sandbox, whoever it is for. With a folder it survives a restart. */
export async function openMailbox(folder: string | null): Promise<Mailbox> {
  const mails = folder === null ? [] : await readFolder(folder);
  let last = mails.at(-1)?.number ?? 0;
  return {
    put: async (mail) => {
      const number = ++last;
      const stored = { id: `mail_${number}`, number, ...mail };
      if (folder !== null) await writeWhole(join(folder, `${stored.id}.json`), JSON.stringify(stored));
      mails.push(stored);
      await remove(folder, mails.splice(0, Math.max(0, mails.length - LIMIT)));
      return stored;
    },
    list: (to) => {
      const wanted = to?.toLowerCase();
      const newestFirst = mails.toSorted((a, b) => b.number - a.number);
      return wanted === undefined ? newestFirst : newestFirst.filter((mail) => isFor(mail, wanted));
    },
    get: (id) => mails.find((mail) => mail.id === id) ?? null,
    clear: () => remove(folder, mails.splice(0)),
  };
}

function isFor(mail: StoredMail, address: string): boolean {
  return mail.to.some((to) => to.toLowerCase() === address);
}

/** A file that is no mail, or half of one, is left alone and not shown. */
async function readFolder(folder: string): Promise<StoredMail[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const names = (await readdir(folder)).filter((name) => SHAPE.test(name));
  const mails = await Promise.all(names.map((name) => readMail(join(folder, name))));
  return mails.filter((mail) => mail !== null).toSorted((a, b) => a.number - b.number);
}

async function readMail(path: string): Promise<StoredMail | null> {
  try {
    return storedMail.parse(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return null;
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  await writeFile(`${path}.new`, text, { mode: 0o600 });
  await rename(`${path}.new`, path);
}

async function remove(folder: string | null, mails: readonly StoredMail[]): Promise<void> {
  if (folder === null) return;
  await Promise.all(mails.map(({ id }) => rm(join(folder, `${id}.json`), { force: true })));
}
