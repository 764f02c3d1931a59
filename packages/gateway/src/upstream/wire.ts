import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type RequestOptions,
} from "node:http";
import { Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { DEFAULT_TIMEOUTS, type Upstream, type UpstreamTimeouts } from "../settings.ts";

/** An upstream's address, worked out once, and the connections kept open to it. */
export interface Wire {
  readonly target: Pick<RequestOptions, "hostname" | "port">;
  readonly basePath: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: HttpAgent;
  readonly timeouts: UpstreamTimeouts;
  open(options: RequestOptions): ClientRequest;
}

/** Enough idle connections for a thousand streams that end together; the newest is used first, so that the pool
 *  shrinks by itself when load does. */
const POOL = { keepAlive: true, maxFreeSockets: 1024, scheduling: "lifo" } as const;

/** Throws: the URL is none, or neither http nor https. */
export function openWire(upstream: Upstream): Wire {
  const url = new URL(upstream.url);
  const isSecure = url.protocol === "https:";
  if (!isSecure && url.protocol !== "http:")
    throw new Error(`upstream ${upstream.name}: the URL must begin with http:// or https://`);
  return {
    target: { hostname: url.hostname.replace(/^\[|\]$/g, ""), port: url.port === "" ? undefined : url.port },
    basePath: url.pathname.replace(/\/+$/, ""),
    headers: headersOf(upstream),
    agent: isSecure ? new HttpsAgent(POOL) : new HttpAgent(POOL),
    timeouts: { ...DEFAULT_TIMEOUTS, ...upstream.timeouts },
    open: isSecure ? httpsRequest : httpRequest,
  };
}

function headersOf(upstream: Upstream): Record<string, string> {
  const authorization = upstream.apiKey === undefined ? {} : { authorization: `Bearer ${upstream.apiKey}` };
  return {
    "content-type": "application/json",
    "user-agent": "bursar",
    // Without it a server may compress as it likes, and what comes is read as it is.
    "accept-encoding": "identity",
    ...authorization,
    ...upstream.headers,
  };
}
