import pino, { type Logger } from "pino";

/** To stderr, as JSON lines. What must not be read there is left out: keys, tokens, addresses with passwords, what the
 *  payment provider's errors carry, and the rows and values that Postgres's quote. */
export function openLog(level: string): Logger {
  return pino(
    {
      level,
      redact: [
        "apiKey",
        "*.apiKey",
        "authorization",
        "*.authorization",
        "headers",
        "*.headers",
        "url",
        "*.databaseUrl",
        "*.raw",
        "*.payment_intent",
        "*.payment_method",
        "err.where",
        "err.detail",
      ],
    },
    pino.destination(2),
  );
}
