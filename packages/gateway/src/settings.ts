/** How long an upstream may take. Milliseconds. */
export interface UpstreamTimeouts {
  /** To accept the connection. */
  readonly connectMilliseconds: number;
  /** From the request to a stream's headers: who does not even answer is down, and another try may reach who is not. */
  readonly headersMilliseconds: number;
  /** From there to the first word: models think for minutes, and many send nothing meanwhile. */
  readonly firstOutputMilliseconds: number;
  /** From one piece of a stream to the next, once it has begun to say something; also how long a client may leave it unread. */
  readonly idleMilliseconds: number;
  /** From the request to the end of an answer that does not stream. */
  readonly wholeMilliseconds: number;
}

/** A provider that speaks OpenAI's protocol. */
export interface Upstream {
  readonly name: string;
  /** Base URL, such as `https://api.openai.com/v1`. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** The models it serves, by the names that callers use: exact, or with `*` for any characters. */
  readonly models: readonly string[];
  /** The upstream's own name of a model, where it differs. */
  readonly modelNames?: Readonly<Record<string, string>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  readonly timeouts?: Partial<UpstreamTimeouts> | undefined;
  /** The field that limits output when the caller sent none. Default: what the host is known to take. */
  readonly outputLimitField?: "max_tokens" | "max_completion_tokens" | undefined;
  /** Fields of EXTRA_FIELDS that callers may send as they like, because their cost is known to be covered. */
  readonly allow?: readonly string[] | undefined;
}

export interface GatewaySettings {
  /** Output tokens a stream holds ahead, per choice. */
  readonly sliceTokens: number;
  /** Output tokens assumed where neither the caller nor the price book gives a limit: so few that any model takes them
   *  for one. */
  readonly defaultOutputTokens: number;
  /** No model's answer is longer: what pays for so much needs no limit. */
  readonly longestOutputTokens: number;
  /** How long a hold lives without news from its owner. */
  readonly holdSeconds: number;
  /** How often a running call tells the ledger what it has cost so far. */
  readonly reportSeconds: number;
  /** After this, a stream whose model still thinks gets its headers. */
  readonly headerPatienceMilliseconds: number;
  /** Tries after the first, all before the first byte. */
  readonly retries: number;
  readonly retryDelayMilliseconds: number;
  /** A rate limit is waited for if the upstream asks for no more than this; else the caller gets it. */
  readonly retryAfterSeconds: number;
  /** Failed calls in a row, those of one account or of several, that open an upstream's breaker to it or to all, and for
   *  how long. */
  readonly breakerFailures: number;
  readonly breakerSeconds: number;
  /** How long `close` waits for running calls before it ends them, where it is not told. */
  readonly drainSeconds: number;
  /** The largest answer that is kept in memory. */
  readonly answerLimitBytes: number;
}

export const DEFAULT_SETTINGS: GatewaySettings = {
  sliceTokens: 256,
  defaultOutputTokens: 4096,
  longestOutputTokens: 131_072,
  holdSeconds: 600,
  reportSeconds: 10,
  headerPatienceMilliseconds: 5000,
  retries: 2,
  retryDelayMilliseconds: 100,
  retryAfterSeconds: 2,
  breakerFailures: 5,
  breakerSeconds: 10,
  drainSeconds: 30,
  answerLimitBytes: 64 * 1024 * 1024,
};

export const DEFAULT_TIMEOUTS: UpstreamTimeouts = {
  connectMilliseconds: 5000,
  headersMilliseconds: 120_000,
  firstOutputMilliseconds: 600_000,
  idleMilliseconds: 60_000,
  wholeMilliseconds: 600_000,
};
