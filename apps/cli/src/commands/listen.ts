import { randomBytes } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { clockTime } from "../output/time.ts";
import { examples } from "../program.ts";
import { type StripeApi, stripeApi } from "../stripe/api.ts";
import { eventsAfter, type Forwarded, forward } from "../stripe/forward.ts";
import { list } from "../values.ts";

interface Options {
  readonly forwardTo: string;
  readonly events?: string[];
  readonly secret?: string;
}

const PERIOD_MILLISECONDS = 500;

export function listen(command: Command, context: Context): void {
  command
    .requiredOption("--forward-to <url>", "where your own webhook endpoint listens")
    .option("--events <types>", "only these, as a,b", list)
    .option("--secret <secret>", "signs what is sent on; default: a new one, which is printed")
    .addHelpText(
      "after",
      examples(
        "bursar listen --forward-to http://127.0.0.1:4242/webhook",
        "STRIPE_SECRET_KEY=sk_test_… bursar listen --forward-to http://127.0.0.1:3000/api/stripe/webhook --secret whsec_…",
      ),
    )
    .action((options: Options) => run(context, options));
}

async function run(context: Context, { forwardTo, events, secret = newSecret() }: Options): Promise<void> {
  if (!/^https?:\/\//.test(forwardTo)) throw usageFailure("--forward-to must be an http:// or https:// URL.");
  const stripe = stripeApi(context);
  let last = (await eventsAfter(stripe, null)).at(-1)?.id ?? null;
  const begun = { listening: stripe.url, forwardTo, secret };
  process.stdout.write(
    context.isJson()
      ? `${JSON.stringify(begun)}\n`
      : `Listening to ${stripe.url}; webhooks are signed with ${secret}. Ctrl-C ends it.\n`,
  );
  const stop = new AbortController();
  process.once("SIGINT", () => stop.abort());
  process.once("SIGTERM", () => stop.abort());
  while (!stop.signal.aborted) {
    last = await sendOn(context, stripe, { last, forwardTo, events, secret });
    await delay(PERIOD_MILLISECONDS, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

const newSecret = () => `whsec_${randomBytes(24).toString("base64url")}`;

interface Going {
  readonly last: string | null;
  readonly forwardTo: string;
  readonly events: readonly string[] | undefined;
  readonly secret: string;
}

/** The newest event that was seen. */
async function sendOn(context: Context, stripe: StripeApi, going: Going): Promise<string | null> {
  let { last } = going;
  for (const event of await eventsAfter(stripe, last)) {
    last = event.id;
    if (going.events !== undefined && !going.events.includes(event.type)) continue;
    const sent = await forward(event, going.forwardTo, going.secret);
    process.stdout.write(
      context.isJson() ? `${JSON.stringify(sent)}\n` : `${sentText(sent, context.look())}\n`,
    );
  }
  return last;
}

export function sentText({ at, type, id, status }: Forwarded, { paint }: Look): string {
  const answered = status === null ? paint.red("no answer") : String(status);
  const shown = status !== null && status >= 300 ? paint.red(answered) : answered;
  return `${clockTime(at, "seconds")}  ${shown}  ${type}  ${paint.dim(id)}`;
}
