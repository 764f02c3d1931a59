import { forgetOldTries } from "@bursar/engine/code/tries";
import type { Deps, Log } from "@bursar/engine/deps";
import { deliverEffects } from "@bursar/engine/effect/deliver";
import { openExpiryReminders } from "@bursar/engine/expiry/remind";
import { keepPromises } from "@bursar/engine/grant/promise";
import { sweep } from "@bursar/engine/ledger/sweep";
import { deliverMails } from "@bursar/engine/mail/deliver";
import type { Mail } from "@bursar/engine/mail/mail";
import { mailNotices, type RecipientsOf } from "@bursar/engine/notice/mail";
import { alertOwners } from "@bursar/engine/organization/alert";
import { forgetPrompts } from "@bursar/engine/prompt/forget";
import { sweepQuotas } from "@bursar/engine/quota/sweep";
import { type ReferralTerms, rewardReferrals } from "@bursar/engine/referral/reward";
import type { Job } from "./background/job.ts";
import { startLoop } from "./background/loop.ts";

export interface Background {
  /** Runs every job until none has anything due. False when one failed, which is in the log. */
  settle(): Promise<boolean>;
  /** Lets running jobs end, for 10 s at most. */
  stop(): Promise<void>;
}

/** Enough for any sandbox; a job that never says 0 must not keep a caller for ever. */
const ROUND_LIMIT = 10_000;

/** Each job in a loop of its own, so that a slow mail server holds up no expiry. */
export function startBackground(jobs: readonly Job[], log: Log): Background {
  const loops = jobs.map((job) => startLoop(job, log));
  return {
    settle: async () => {
      for (let round = 0; round < ROUND_LIMIT; round++) {
        const results = await Promise.all(loops.map((loop) => loop.runNow()));
        if (results.includes("failed")) return false;
        if (results.every((result) => result === "idle")) return true;
      }
      return false;
    },
    stop: async () => {
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

/** What the engine asks to be run: expiries, monthly resets, the effects that commits have asked for, and mail where a server for it
 *  is known. */
export function engineJobs(deps: Deps, mailServer: Mail | null): Job[] {
  const jobs: Job[] = [
    {
      name: "sweep",
      run: async () => {
        const { grants, holds, forgotten } = await sweep(deps);
        return grants + holds + forgotten;
      },
    },
    { name: "quotas", run: () => sweepQuotas(deps) },
    { name: "expiry reminders", run: openExpiryReminders(deps) },
    { name: "effects", run: () => deliverEffects(deps) },
    { name: "organization alerts", run: () => alertOwners(deps) },
    { name: "promised grants", run: () => keepPromises(deps) },
    { name: "prompts", run: () => forgetPrompts(deps) },
  ];
  if (mailServer !== null) jobs.push({ name: "mail", run: () => deliverMails(deps, mailServer) });
  return jobs;
}

/** Sends notices to the people that they are about; who that is, the engine does not know. */
export function noticeMails(
  deps: Pick<Deps, "pool" | "clock">,
  recipientsOf: RecipientsOf,
  url: () => string,
): Job {
  return { name: "notices by mail", run: () => mailNotices(deps, recipientsOf, url) };
}

/** Rewards referrals, and clears away the count of codes tried; what proves a mailbox, the engine does not know. */
export function codeJobs(deps: Deps, terms: ReferralTerms): Job[] {
  const forget = async () => {
    await forgetOldTries(deps);
    return 0;
  };
  return [
    { name: "referrals", run: () => rewardReferrals(deps, terms) },
    { name: "tried codes", run: forget },
  ];
}
