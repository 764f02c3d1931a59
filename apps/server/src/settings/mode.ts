import { SettingsError } from "./error.ts";

/** Anything but `production` is a sandbox, which has public passwords: what was meant for live mode must not be one.
 *  Throws: SettingsError for what only means production. */
export function modeFrom(nodeEnv: string | undefined): "live" | "sandbox" {
  if (nodeEnv === "production") return "live";
  if (nodeEnv === undefined || !/^\W*(prod|live)/i.test(nodeEnv)) return "sandbox";
  throw new SettingsError(
    `NODE_ENV: must be production for live mode, and is ${JSON.stringify(nodeEnv)}; a sandbox is started without it`,
  );
}
