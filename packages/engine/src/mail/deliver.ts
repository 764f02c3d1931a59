import { addSeconds } from "@bursar/contract/instant";
import type { Deps } from "../deps.ts";
import { afterFailure } from "./decide.ts";
import { type Mail, MailRefused } from "./mail.ts";
import { forgetMails, markFailed, markSent, type TakenMail, takeDueMails } from "./store.ts";

/** How long one attempt may take. Shorter than the lease, so that no second process begins while the first still may. */
const ATTEMPT_MILLISECONDS = 60_000;
const LEASE_SECONDS = 120;
/** Also how many connections the mail server sees at once, from one process. */
const BATCH = 5;
const REMEMBERED_SECONDS = 30 * 86_400;

type DeliverDeps = Pick<Deps, "pool" | "clock" | "log">;

/** Sends what is due in the outbox; any number of processes may. A mail is sent again only where a process died, or the
 *  mail server fell silent, between taking the mail and saying so; it then carries the same Message-ID.
 *  Returns how many mails it has ended or put off. Throws: database unreachable. */
export async function deliverMails(deps: DeliverDeps, server: Mail): Promise<number> {
  const now = deps.clock.now();
  const mails = await takeDueMails(deps.pool, { now, limit: BATCH, leaseSeconds: LEASE_SECONDS });
  const attempts = await Promise.allSettled(mails.map((mail) => attempt(deps, server, mail)));
  for (const outcome of attempts) if (outcome.status === "rejected") throw outcome.reason;
  await forgetMails(deps.pool, addSeconds(now, -REMEMBERED_SECONDS));
  return mails.length;
}

async function attempt(deps: DeliverDeps, server: Mail, mail: TakenMail): Promise<void> {
  try {
    await withinTime(server.send(mail));
  } catch (error) {
    await fail(deps, mail, error);
    return;
  }
  await markSent(deps.pool, mail.id, deps.clock.now());
}

async function fail(deps: DeliverDeps, mail: TakenMail, error: unknown): Promise<void> {
  const now = deps.clock.now();
  const isRefused = error instanceof MailRefused;
  const next = afterFailure({ attempts: mail.attempts, createdAt: mail.createdAt, isRefused }, now);
  const reason = error instanceof Error ? error.message : String(error);
  await markFailed(deps.pool, mail.id, { next, reason, now });
  // What the mail server says often names the address, so it is kept in the row and not in the log.
  const facts = { mailId: mail.id, attempts: mail.attempts, code: codeOf(error) };
  if (next.kind === "given_up") deps.log.error(facts, "a mail was given up");
  else deps.log.warn(facts, "a mail could not be sent yet; it is tried again");
}

function codeOf(error: unknown): string | null {
  const cause = error instanceof MailRefused ? error.cause : error;
  return cause instanceof Error && "code" in cause ? String(cause.code) : null;
}

async function withinTime(sending: Promise<void>): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new Error(`the mail server did not answer within ${ATTEMPT_MILLISECONDS / 1000} s`)),
    ATTEMPT_MILLISECONDS,
  );
  try {
    await Promise.race([sending, promise]);
  } finally {
    clearTimeout(timer);
  }
}
