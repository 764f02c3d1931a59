import { BursarError } from "@bursar/client/errors";
import { openSocket } from "@bursar/client/socket";
import type { SocketRefused } from "@bursar/client/socket/errors";
import type { PushOf } from "@bursar/contract/socket/topics";
import type { Context } from "../context.ts";
import { openScreen, type Screen } from "./screen.ts";
import { balanceLine, entryLine, type Watched } from "./view.ts";

export interface WatchTarget {
  readonly url: string;
  readonly credential: () => Promise<string>;
  readonly accountId: string | undefined;
}

/** Shows what happens on the account until Ctrl-C. Rejects with `BursarError` when the server will not show it. */
export async function watchAccount(target: WatchTarget, context: Context): Promise<void> {
  const ended = Promise.withResolvers<void>();
  const show = showerFor(context);
  const socket = openSocket({
    ...target,
    onState: (state, reason) => {
      if (state === "closed" && reason !== null && reason.code !== "socket_closed")
        ended.reject(refusal(reason));
      show.connection(state === "connected");
    },
  });
  // The balance last: whoever sees it has seen the rest.
  socket.subscribe("holds", (holds) => show.holds(holds));
  socket.subscribe("entries", (entries) => show.entries(entries));
  socket.subscribeBalance((balance) => show.balance(balance));
  const stop = () => ended.resolve();
  process.once("SIGINT", stop).once("SIGTERM", stop);
  try {
    await ended.promise;
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    socket.close();
    show.end();
  }
}

/** As every other command reports a no. */
function refusal({ code, message }: SocketRefused): BursarError {
  const isLogin = code === "unauthenticated";
  const type = isLogin ? "authentication_error" : "permission_error";
  return new BursarError({ status: isLogin ? 401 : 403, code, type, message, param: null, requestId: null });
}

interface Shower {
  balance(balance: PushOf<"balance">): void;
  holds(holds: PushOf<"holds">): void;
  entries(entries: PushOf<"entries">): void;
  connection(isConnected: boolean): void;
  end(): void;
}

function showerFor(context: Context): Shower {
  if (context.isJson()) return jsonShower();
  return process.stdout.isTTY ? screenShower(openScreen(context)) : lineShower();
}

function jsonShower(): Shower {
  const write = (topic: string, data: object) =>
    process.stdout.write(`${JSON.stringify({ topic, ...data })}\n`);
  return {
    balance: (balance) => write("balance", balance),
    holds: (holds) => write("holds", holds),
    entries: (entries) => write("entries", entries),
    connection: () => undefined,
    end: () => undefined,
  };
}

function screenShower(screen: Screen): Shower {
  let watched: Watched = { balance: null, holds: null, entries: null, isConnected: false };
  const change = (changed: Partial<Watched>) => {
    watched = { ...watched, ...changed };
    screen.show(watched);
  };
  return {
    balance: (balance) => change({ balance }),
    holds: (holds) => change({ holds }),
    entries: (entries) => change({ entries }),
    connection: (isConnected) => change({ isConnected }),
    end: () => screen.close(),
  };
}

/** Entries that have happened since the start, each once, and the balance after them. */
function lineShower(): Shower {
  let seen: number | null = null;
  const write = (line: string) => process.stdout.write(`${line}\n`);
  return {
    balance: (balance) => write(balanceLine(balance)),
    holds: () => undefined,
    entries: ({ entries }) => {
      const newest = entries[0]?.seq ?? 0;
      for (const entry of entries.toReversed())
        if (seen !== null && entry.seq > seen) write(entryLine(entry));
      seen = Math.max(seen ?? 0, newest);
    },
    connection: () => undefined,
    end: () => undefined,
  };
}
