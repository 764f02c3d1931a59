import PostalMime from "postal-mime";
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from "smtp-server";
import type { Mailbox } from "./mailbox.ts";

const LARGEST_BYTES = 10 * 1024 * 1024;

/** Names of mailboxes that refuse, with SMTP's own codes, so that outages can be played. */
const REFUSALS: Readonly<Record<string, { code: number; message: string }>> = {
  bounce: { code: 550, message: "5.1.1 no such mailbox" },
  later: { code: 451, message: "4.3.0 try again later" },
};

/** The SMTP side: takes mail for everybody, with or without a password, except `bounce@…` and `later@…`. */
export function createSmtpServer(mailbox: Mailbox, now: () => Date): SMTPServer {
  return new SMTPServer({
    banner: "Bursar sandbox: nothing leaves this machine",
    authOptional: true,
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    disableReverseLookup: true,
    logger: false,
    size: LARGEST_BYTES,
    closeTimeout: 500,
    onAuth: (auth, _session, done) => done(null, { user: auth.username ?? "anybody" }),
    onRcptTo: ({ address }, _session, done) => {
      const refusal = REFUSALS[address.split("@")[0]!.toLowerCase()];
      done(refusal === undefined ? null : refuse(refusal.code, refusal.message));
    },
    onData: (stream, session, done) => {
      void answered(receive(mailbox, stream, session, now)).then(({ error, id }) => {
        // oxlint-disable-next-line promise/no-callback-in-promise -- smtp-server is answered by callback
        done(error, `kept as ${id}`);
      });
    },
  });
}

async function answered(receiving: Promise<string>): Promise<{ error: Error | null; id: string }> {
  try {
    return { error: null, id: await receiving };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)), id: "nothing" };
  }
}

/** Resolves only when the mail is kept. Throws: too large, or the folder cannot be written. */
async function receive(
  mailbox: Mailbox,
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  now: () => Date,
): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  if (stream.sizeExceeded) throw refuse(552, `5.3.4 a mail may have ${LARGEST_BYTES} bytes`);
  const { from, subject, text, html, messageId } = await PostalMime.parse(Buffer.concat(chunks));
  const { mailFrom, rcptTo } = session.envelope;
  const sender = mailFrom === false ? "" : mailFrom.address;
  const stored = await mailbox.put({
    receivedAt: now().toISOString(),
    from: from === undefined ? sender : shown(from.name, from.address ?? sender),
    to: rcptTo.map(({ address }) => address),
    subject: subject ?? "",
    text: text ?? "",
    html: html ?? null,
    messageId: messageId ?? null,
  });
  return stored.id;
}

function shown(name: string, address: string): string {
  return name === "" ? address : `${name} <${address}>`;
}

function refuse(responseCode: number, message: string): Error {
  return Object.assign(new Error(message), { responseCode });
}
