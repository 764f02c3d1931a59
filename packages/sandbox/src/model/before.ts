import { readDirectives } from "./directive.ts";
import { askedError, invalidRequest } from "./errors.ts";
import type { Settings } from "./settings.ts";
import { cut, type Exchange, sendError, wait } from "./wire/exchange.ts";
import type { World } from "./world.ts";

/** Reads what is asked of this request and lives through whatever must happen before an answer: a wait, a dropped
 *  connection, an error. A registered fault wins over the directive in the text.
 *  Returns undefined when nothing is left to answer. */
export async function behaveBefore(
  world: World,
  exchange: Exchange,
  model: string,
  text: string,
): Promise<Settings | undefined> {
  const fault = world.faults.take({ path: exchange.path, model });
  const directives = readDirectives(text);
  if (directives.kind === "bad") {
    sendError(exchange, invalidRequest(directives.reason, "messages", "sandbox_directive"));
    return undefined;
  }
  const settings = { ...directives.settings, ...fault };
  if (settings.delayMs && !(await wait(exchange, settings.delayMs))) return undefined;
  if (settings.reset) cut(exchange);
  else if (settings.status !== undefined)
    sendError(exchange, askedError({ ...settings, status: settings.status }));
  else return settings;
  return undefined;
}
