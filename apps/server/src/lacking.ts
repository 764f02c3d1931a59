/** What a server may be started without, and what it then does not do: `null` or nothing of it is set. */
interface Parts {
  readonly payments: object | null;
  readonly mailServer: object | null;
  readonly upstreams: readonly unknown[];
  readonly publicUrl: string | null;
  /** The first address that it listens on. */
  readonly url: string;
  readonly hasPrices: boolean;
}

/** A line for each, with what would change it. In a sandbox nothing of it lacks. */
export function lackingLines(parts: Parts): string[] {
  const { payments, mailServer, upstreams, publicUrl, url, hasPrices } = parts;
  const lines: [boolean, string][] = [
    [
      publicUrl === null,
      `url    ${url} stands in tokens and links: set BURSAR_URL to what people reach it by`,
    ],
    [upstreams.length === 0, "model  off: set LLM_API_URL, or BURSAR_UPSTREAMS, to pass calls on to models"],
    [!hasPrices, "price  none: put them in with bursar prices set; until then what needs one is refused"],
    [payments === null, "pay    off: set STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET to sell credits"],
    [mailServer === null, "mail   off: set SMTP_URL and MAIL_FROM to send any"],
  ];
  return lines.flatMap(([lacks, line]) => (lacks ? line : []));
}
