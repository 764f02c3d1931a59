import { parseArgs } from "node:util";
import { z } from "zod";
import { SettingsError } from "./error.ts";

export const port = z
  .string()
  .regex(/^ *\d+ *$/, "must be a port number")
  .transform(Number)
  .refine((number) => number <= 65535, "must be a port number");
const ports = z
  .string()
  .transform((text) => text.split(","))
  .pipe(z.array(port).min(1).max(16));

type Flags = { listen?: string; port?: string; host?: string; "data-dir"?: string };

export function readFlags(args: readonly string[]): Flags {
  const text = { type: "string" } as const;
  const options = { listen: text, port: text, host: text, "data-dir": text };
  try {
    return withoutEmpty(parseArgs({ args: [...args], options, strict: true }).values);
  } catch (error) {
    const known = Object.keys(options).map((name) => `--${name}`);
    throw new SettingsError(
      `${(error as Error).message}; there are ${known.join(", ")}, and the settings of docs/configuration.md`,
    );
  }
}

const DEFAULT_PORT = 3000;

export function portsFrom(flags: Flags, data: { readonly PORT?: number | undefined }): readonly number[] {
  const text = flags.listen ?? flags.port;
  if (text === undefined) return [data.PORT ?? DEFAULT_PORT];
  const parsed = ports.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new SettingsError(
    `--${flags.listen === undefined ? "port" : "listen"}: must be ports such as 3000,3001`,
  );
}

/** An empty variable, or argument, is one that is not set. */
export function withoutEmpty(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ""),
  ) as Record<string, string>;
}
