/** A world in which a process can die, and another one finds what it has left. Stripe's webhooks reach the process that
 *  may die while it lives, and the living server afterwards. */
import type { Instant } from "@bursar/contract/instant";
import { carryOnPayments } from "@bursar/engine/payment/due";
import { PaymentsUnavailable } from "@bursar/engine/payment/payments";
import { processEvents } from "@bursar/engine/payment-event/process";
import type { SandboxStripe } from "@bursar/sandbox/stripe";
import { Hono } from "hono";
import { expect } from "vitest";
import { listen } from "../src/listen.ts";
import { EVENT_HANDLERS } from "../src/payments/handlers.ts";
import { mountPaymentPages } from "../src/payments/pages.ts";
import { mountWebhook } from "../src/payments/webhook.ts";
import { Death, type Mortality, mortal } from "./mortal.ts";
import { type PayingWorld, startPayingWorld } from "./paying-world.ts";

export type CrashingWorld = Awaited<ReturnType<typeof startCrashingWorld>>;
export type Account = Awaited<ReturnType<PayingWorld["account"]>>;
export type Fault = Parameters<SandboxStripe["faults"]["add"]>[0];

/** `BURSAR_LONG=1`: every card with every fault, at every step, reads too. */
export const isLong = process.env["BURSAR_LONG"] === "1";

/** For a whole sweep, of 2 to 11 seconds of work on a quiet machine, and twenty times as many on a very busy one: it
 *  waits for nothing but that. */
export const SWEEP_MILLISECONDS = isLong ? 3_600_000 : 300_000;
/** Seconds: longer than what is provisional is left alone, and than any retry waits. */
export const LOOK = 700;
export const DAY = 86_400;
/** For faults of webhooks: all of them. */
export const EVERY_WEBHOOK = { events: "*", times: 1000 } as const;

/** Without those that go the way of another one, which are told in the long run only. */
export function toTell<Told extends { readonly isLike?: true }>(all: readonly Told[]): Told[] {
  return all.filter(({ isLike }) => isLong || isLike !== true);
}

/** What one process does until it dies. */
export interface Mortal {
  readonly deps: PayingWorld["paying"];
  /** Somebody opens one of its pages, or presses the button there. */
  readonly open: (path: string, method?: string) => Promise<void>;
  /** Time passes: webhooks come, and it does what is due. */
  readonly later: (seconds: number) => Promise<void>;
}

/** The jobs that payments are about; others do not matter here. */
const PAYING: ReadonlySet<string> = new Set([
  "payment events",
  "payments",
  "refunds",
  "disputes",
  "top-ups",
  "lost payment events",
]);

type Answer = (request: Request) => Promise<Response> | Response;

/** For faults that are that no answer comes, which are waited for at every step. */
export const IMPATIENT_MILLISECONDS = 600;
/** In the long run such faults are everywhere. Elsewhere an answer that is late, because the machine is busy, is none. */
const PATIENT_MILLISECONDS = isLong ? IMPATIENT_MILLISECONDS : 10_000;

export async function startCrashingWorld(timeoutMilliseconds = PATIENT_MILLISECONDS) {
  const world = await startPayingWorld({ timeoutMilliseconds, hearsWebhooks: false });
  const living = new Hono();
  mountWebhook(living, world.paying, () => undefined);
  const hearAgain: Answer = (request) => living.request(request);
  let answer = hearAgain;
  let isOpen = Promise.withResolvers<void>();
  const door = new Hono();
  // Webhooks wait for their turn, so that a process goes through the same steps each time.
  door.all("*", async (context) => {
    await isOpen.promise;
    return answer(context.req.raw);
  });
  const listening = await listen(door, "127.0.0.1", [0]);
  // Of customers and their methods nothing needs to be told: that would only be more of the same steps.
  const types = Object.keys(EVENT_HANDLERS).filter((type) => !/^(customer|payment_method)\./.test(type));
  world.stripe.register(`${listening.urls[0]}/api/stripe/webhook`, types);

  const letWebhooksIn = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    isOpen.resolve();
    try {
      return await work();
    } finally {
      isOpen = Promise.withResolvers();
    }
  };

  const startMortal = (deps: PayingWorld["paying"]): Mortal => {
    const app = new Hono();
    mountWebhook(app, deps, () => undefined);
    mountPaymentPages(app, { ...deps, identity: { url: () => world.url } });
    app.onError(() => new Response(null, { status: 503 }));
    answer = (request) => app.request(request);
    return {
      deps,
      open: async (path, method) => void (await app.request(path, { method: method ?? "GET" })),
      later: async (seconds) => {
        world.clock.time = (world.clock.time + seconds * 1_000_000) as Instant;
        await letWebhooksIn(() => world.stripe.tick());
        while ((await processEvents(deps, EVENT_HANDLERS)) > 0);
        await carryOnPayments(deps);
      },
    };
  };

  const jobs = world.jobs.filter(({ name }) => PAYING.has(name));
  const settle = () =>
    letWebhooksIn(async () => {
      for (let round = 0; round < 1000; round++) {
        let done = await world.stripe.tick();
        for (const job of jobs) done += await job.run();
        if (done === 0) return;
      }
      throw new Error("the jobs never end");
    });

  return {
    ...world,
    settle,
    /** Moves the clock, in seconds, and lets every payment that became due go on. */
    advance: async (seconds: number) => {
      world.clock.time = (world.clock.time + seconds * 1_000_000) as Instant;
      await settle();
    },
    /** Lets one process live until it dies. Returns where it died; null: it came to its end. */
    letDie: async (mortality: Mortality, live: (mortal: Mortal) => Promise<void>): Promise<string | null> => {
      const { deps, hasDied, diedAt } = mortal(world.paying, mortality);
      try {
        await live(startMortal(deps));
      } catch (error) {
        if (!(error instanceof Death) && !hasDied()) throw error;
      }
      answer = hearAgain;
      // The leases of the dead end; these are in real time, which no test waits for.
      await world.engine.pool.query("update payments set leased_until = null where leased_until is not null");
      await world.engine.pool.query(
        "update payment_events set leased_until = null where leased_until is not null",
      );
      return diedAt();
    },
    close: async () => {
      isOpen.resolve();
      await listening.close(0);
      await world.close();
    },
  };
}

/** An outage is told to whoever asked, and the process lives on. */
export async function orOutage(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof PaymentsUnavailable)) throw error;
  });
}

export interface Story {
  prepare(): Promise<Account>;
  live(account: Account, mortal: Mortal): Promise<void>;
  /** What people and time do after the death. */
  heal(account: Account): Promise<void>;
  check(account: Account): Promise<void>;
}

/** The story has several steps, dies well at each, and leaves the books whole. */
export async function expectToSurvive(
  world: CrashingWorld,
  story: Story,
  faults: readonly Fault[] = [],
): Promise<void> {
  expect(await dieAtEveryStep(world, story, faults)).toBeGreaterThan(4);
  await world.verify();
}

/** Tells a story again and again, each time with a process that dies one step later, until one survives. Whatever goes
 *  wrong at Stripe does so from the beginning of its life. Returns how often it was told. */
async function dieAtEveryStep(
  world: CrashingWorld,
  story: Story,
  faults: readonly Fault[] = [],
): Promise<number> {
  let told = 0;
  for (let step = 1; ; step++) {
    let hasSurvived = true;
    // To die after an effect is to die before the next one: what is between them leaves nothing behind.
    for (const when of isLong ? (["before", "after"] as const) : (["before"] as const)) {
      const account = await story.prepare();
      for (const fault of faults) world.stripe.faults.add(fault);
      const counts = isLong ? "everything" : "effects";
      const diedAt = await world.letDie({ step, when, counts }, (process) => story.live(account, process));
      await story.heal(account);
      await story.check(account).catch((error: unknown) => {
        throw new Error(`${account.id}, dead ${diedAt ?? "never"}: ${String(error)}`, { cause: error });
      });
      world.stripe.faults.clear();
      hasSurvived &&= diedAt === null;
      told++;
    }
    if (hasSurvived) return told;
  }
}
