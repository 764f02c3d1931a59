import { timingSafeEqual } from "node:crypto";
import { invalid, Refusal } from "../refusal.ts";
import { API_VERSION } from "../world.ts";

/** Throws a refusal, 401: no key, or a wrong one. */
export function checkKey(header: string | undefined, secretKey: string): void {
  const given = keyIn(header);
  if (given === null) {
    throw unauthorized(
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
    );
  }
  const [a, b] = [Buffer.from(given), Buffer.from(secretKey)];
  if (a.length === b.length && timingSafeEqual(a, b)) return;
  throw unauthorized(`Invalid API Key provided: ${given.slice(0, 8)}***${given.slice(-4)}`);
}

/** `Bearer sk_…`, or Basic with the key as the user's name. */
function keyIn(header: string | undefined): string | null {
  const [scheme, value = ""] = (header ?? "").split(" ");
  if (scheme === "Bearer" && value !== "") return value;
  if (scheme !== "Basic") return null;
  const [user] = Buffer.from(value, "base64").toString("utf8").split(":");
  return user === undefined || user === "" ? null : user;
}

function unauthorized(message: string): Refusal {
  return new Refusal(401, { type: "invalid_request_error", message });
}

/** One version is spoken here; whoever says nothing gets it. Throws a refusal for another. */
export function checkVersion(version: string | string[] | undefined): void {
  if (version === undefined || version === API_VERSION) return;
  throw invalid(`Invalid Stripe API version: ${String(version)}. This sandbox speaks ${API_VERSION}.`);
}
