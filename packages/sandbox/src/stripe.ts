import type { Actions } from "./stripe/control/actions.ts";
import { closeServer, type Handle, listenForStripe } from "./stripe/door.ts";
import type { Faults } from "./stripe/fault/faults.ts";
import { keptOrNew } from "./stripe/keep.ts";
import { openStripe } from "./stripe/open.ts";

export interface SandboxStripeOptions {
  readonly host?: string;
  /** 0, the default, takes any free port. */
  readonly port?: number;
  /** The moving clock, in milliseconds. */
  readonly now: () => number;
  /** The key that every request needs; left out, the one of the last start, else a new one. */
  readonly secretKey?: string;
  /** Signs what goes to the endpoints that `register` adds; left out, the one of the last start, else a new one. */
  readonly webhookSecret?: string;
  /** Where everything is kept from start to start. Left out, it is in memory only. */
  readonly dataFile?: string;
}

export interface SandboxStripe extends Actions {
  /** `http://127.0.0.1:40127`; the API is at `/v1` below it. */
  readonly url: string;
  readonly secretKey: string;
  readonly webhookSecret: string;
  readonly faults: Faults;
  /** Does what became due by the moving clock, and delivers what is on its way. Returns how much that was. */
  readonly tick: () => Promise<number>;
  /** Ends every connection and resolves when the port is free. */
  close(): Promise<void>;
}

/** Starts a Stripe that needs none: stateful, over real HTTP, for the official SDK. Webhooks go out at once, and again by `tick`.
 *  Throws: the port is taken; the data file is none of its. */
export async function startSandboxStripe(options: SandboxStripeOptions): Promise<SandboxStripe> {
  const { now, dataFile } = options;
  const kept = await keptOrNew(options);
  let handle: Handle = () => undefined;
  const { server, url } = await listenForStripe(options, (request, response) => handle(request, response));
  const opened = openStripe({ kept, now, url, dataFile });
  handle = opened.handle;
  return {
    ...opened.actions,
    url,
    secretKey: kept.secretKey,
    webhookSecret: kept.webhookSecret,
    faults: opened.faults,
    tick: opened.tick,
    close: async () => {
      await opened.stop();
      await closeServer(server);
      await opened.keep();
    },
  };
}
