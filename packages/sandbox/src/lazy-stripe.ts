import { closeServer, listenForStripe } from "./stripe/door.ts";
import { keptOrNew } from "./stripe/keep.ts";
import type { OpenStripe } from "./stripe/open.ts";
import type { SandboxStripe, SandboxStripeOptions } from "./stripe.ts";

export interface LazyStripe
  extends Pick<SandboxStripe, "close" | "secretKey" | "tick" | "url" | "webhookSecret"> {
  /** As of the other; done when it is loaded. */
  readonly register: (url: string, events?: readonly string[]) => void;
}

/** The same Stripe for whoever must start fast: it listens at once and is loaded with the first request, or with the first `tick` if
 *  an earlier start has left anything that may become due.
 *  Throws: the port is taken; the data file is none of its. */
export async function startLazyStripe(options: SandboxStripeOptions): Promise<LazyStripe> {
  const { now, dataFile } = options;
  const kept = await keptOrNew(options);
  const wishes: Parameters<LazyStripe["register"]>[] = [];
  let loading: Promise<OpenStripe> | null = null;
  const load = () => {
    loading ??= import("./stripe/open.ts").then(({ openStripe }) => {
      const opened = openStripe({ kept, now, url, dataFile });
      for (const wish of wishes) opened.actions.register(...wish);
      return opened;
    });
    return loading;
  };
  const { server, url } = await listenForStripe(options, (request, response) => {
    void load().then(({ handle }) => handle(request, response));
  });
  return {
    url,
    secretKey: kept.secretKey,
    webhookSecret: kept.webhookSecret,
    register: (...wish) => {
      wishes.push(wish);
      void loading?.then(({ actions }) => actions.register(...wish));
    },
    tick: async () => (loading === null && !kept.isOld ? 0 : (await load()).tick()),
    close: async () => {
      const opened = await loading;
      await opened?.stop();
      await closeServer(server);
      await opened?.keep();
    },
  };
}
