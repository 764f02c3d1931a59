import type { Log } from "@bursar/database/log";
import type { FanOut, FanOutListener } from "./fan-out.ts";

const CHANNEL = "bursar_changes";
const LONGEST_DELAY_MILLISECONDS = 5000;
const FIRST_DELAY_MILLISECONDS = 100;

type Client = Awaited<ReturnType<typeof openClient>>;

/** Redis's publish and subscribe, on two connections that come back by themselves. Nothing is kept for later: what
 *  cannot be said now is not said. */
export function openRedisFanOut({ url, log }: { readonly url: string; readonly log: Log }): FanOut {
  const opened = Promise.all([openClient(url, log), openClient(url, log)]);
  const [publisher, subscriber] = [opened.then(([first]) => first), opened.then(([, second]) => second)];
  const connected = (client: Client) => {
    // Tries until it is closed; errors are logged by the client's own listener.
    client.connect().catch(() => undefined);
  };
  void publisher.then(connected);
  return {
    publish: async (message) => {
      const client = await publisher;
      await client.publish(CHANNEL, message);
    },
    listen: (listener) => void subscriber.then((client) => subscribe(client, listener, connected)),
    close: async () => {
      for (const client of await opened) if (client.isOpen) client.destroy();
    },
  };
}

/** Subscribes at the first connection; at later ones the library has done so before it says that it is ready. */
function subscribe(client: Client, listener: FanOutListener, connect: (client: Client) => void): void {
  let isSubscribed = false;
  client.on("ready", () => {
    const subscribed = isSubscribed
      ? Promise.resolve()
      : client.subscribe(CHANNEL, (message) => listener.onMessage(message));
    subscribed.then(
      () => {
        isSubscribed = true;
        listener.onConnected();
      },
      // The connection broke again; its next "ready" tries again.
      () => undefined,
    );
  });
  connect(client);
}

async function openClient(url: string, log: Log) {
  const { createClient } = await import("@redis/client");
  const client = createClient({
    url,
    RESP: 2,
    disableOfflineQueue: true,
    socket: {
      reconnectStrategy: (tries) =>
        Math.min(FIRST_DELAY_MILLISECONDS * 2 ** tries, LONGEST_DELAY_MILLISECONDS),
    },
  });
  let isReported = false;
  client.on("error", (error: unknown) => {
    if (!isReported) log.warn({ err: error }, "Redis is away: changes of other processes are not heard");
    isReported = true;
  });
  client.on("ready", () => {
    isReported = false;
  });
  return client;
}

/** Hears from both and speaks by the second: what the database itself tells is told by the first alone. */
export function joinFanOuts(first: FanOut, second: FanOut): FanOut {
  return {
    publish: (message) => second.publish(message),
    listen: (listener) => {
      first.listen(listener);
      second.listen(listener);
    },
    close: async () => {
      await Promise.all([first.close(), second.close()]);
    },
  };
}
