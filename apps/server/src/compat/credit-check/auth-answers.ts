import type { Deps } from "@bursar/engine/deps";
import type { OpenIdentity } from "@bursar/identity/open";
import type { Person } from "@bursar/identity/person";
import { message } from "./fields.ts";

export interface AuthRouteDeps extends Pick<Deps, "pool"> {
  readonly identity: OpenIdentity;
  /** How many proxies of ours stand in front: 0 where clients connect directly. */
  readonly proxyHops: number;
}

/** How this API shows a person. */
export function userOf(person: Person) {
  const { id, accountId, username, email, name, role, emailVerified } = person;
  return { id, accountId, username, email, name, role, emailVerified };
}

export function limited(retryAfterSeconds: number, why = "Too many failed attempts"): Response {
  const answer = message(429, `${why}; try again in ${retryAfterSeconds} seconds`);
  answer.headers.set("retry-after", String(retryAfterSeconds));
  return answer;
}
