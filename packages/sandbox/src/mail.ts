import { hostInUrl, listenOn } from "./listen.ts";
import { answerMail } from "./mail/answer.ts";
import { type Mailbox, openMailbox } from "./mail/mailbox.ts";
import { createSmtpServer } from "./mail/receive.ts";

export interface SandboxMailOptions {
  readonly host?: string;
  /** Of the SMTP server; 0, the default, takes any free port. */
  readonly port?: number;
  /** Where mails survive a restart; without it they are in memory. */
  readonly folder?: string;
  /** The sandbox's time, for the time of arrival; default: the machine's. */
  readonly now?: () => Date;
}

export interface SandboxMail extends Pick<Mailbox, "list" | "get" | "clear"> {
  /** Where mail is delivered, such as `smtp://127.0.0.1:2525`. */
  readonly smtpUrl: string;
  /** Answers `/sandbox/mail` and what is below it; null for other paths. For whatever server it is mounted in. */
  readonly answer: (request: Request) => Promise<Response | null>;
  /** Ends every connection and resolves when the port is free. */
  close(): Promise<void>;
}

/** Starts a mailbox for everybody: a real SMTP server that keeps what it is sent, and an HTTP way to read it.
 *  Throws: the port is taken; the folder cannot be used. */
export async function startSandboxMail(options: SandboxMailOptions = {}): Promise<SandboxMail> {
  const { host = "127.0.0.1", port = 0, folder = null, now = () => new Date() } = options;
  const mailbox = await openMailbox(folder);
  const smtp = createSmtpServer(mailbox, now);
  const actualPort = await listenOn(smtp.server, host, port);
  // A connection that breaks is the sender's to notice.
  smtp.on("error", () => undefined);
  return {
    smtpUrl: `smtp://${hostInUrl(host)}:${actualPort}`,
    list: mailbox.list,
    get: mailbox.get,
    clear: mailbox.clear,
    answer: (request) => answerMail(mailbox, request),
    close: () => new Promise((resolve) => smtp.close(() => resolve())),
  };
}
