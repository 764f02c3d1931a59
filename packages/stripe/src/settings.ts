export interface StripeSettings {
  readonly secretKey: string;
  readonly webhookSecret: string;
  /** Another address than Stripe's own, such as the sandbox's: http://127.0.0.1:12111. */
  readonly url?: string | undefined;
  /** One try of one call; default 8 s. */
  readonly timeoutMilliseconds?: number;
  /** The time by which a webhook is fresh, in milliseconds; default the machine's. */
  readonly now?: () => number;
}
