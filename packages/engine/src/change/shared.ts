import type { FanOut, FanOutListener } from "./fan-out.ts";

/** One fan-out for several capabilities: each listens by itself, hears everything, and leaves alone what is not its own. */
export function shareFanOut(fanOut: FanOut): FanOut {
  const listeners = new Set<FanOutListener>();
  let isConnected = false;
  const dispatcher: FanOutListener = {
    onMessage: (message) => {
      for (const listener of listeners) listener.onMessage(message);
    },
    onConnected: () => {
      isConnected = true;
      for (const listener of listeners) listener.onConnected();
    },
  };
  return {
    publish: (message) => fanOut.publish(message),
    listen: (listener) => {
      listeners.add(listener);
      if (listeners.size === 1) fanOut.listen(dispatcher);
      else if (isConnected) listener.onConnected();
    },
    close: () => fanOut.close(),
  };
}
