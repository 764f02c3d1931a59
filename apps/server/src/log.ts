import pino, { type Logger } from "pino";

/** To stderr, as JSON lines. What must not be read there is left out: keys, tokens, addresses with passwords, and what
 *  the payment provider's errors carry. */
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
      ],
    },
    pino.destination(2),
  );
}
