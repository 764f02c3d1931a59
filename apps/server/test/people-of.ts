import type { Role } from "@bursar/identity/person";
import type { Answer } from "./calling.ts";
import type { Running } from "./running.ts";

export const password = "correct horse 9";

/** Somebody who has signed in. */
export interface Signed {
  readonly id: string;
  readonly accountId: string;
  /** Good for 15 minutes; renewed by `signIn`. */
  token: string;
  signIn(): Promise<void>;
  get(path: string, headers?: Record<string, string>): Promise<Answer>;
  post(path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  put(path: string, body?: unknown): Promise<Answer>;
}

/** Makes people and signs them in, each as `<name>@example.org`. */
export function peopleOf(running: Pick<Running, "call" | "identity">) {
  return async (username: string, role: Role = "user"): Promise<Signed> => {
    const email = `${username}@example.org`;
    const facts = { username, email, role, password, emailVerified: true };
    const made = await running.identity.people.create(facts);
    if (made.kind !== "created") throw new Error(`${username} was not created`);
    const { id, accountId } = made.person;
    const signed: Signed = {
      ...{ id, accountId, token: "" },
      signIn: async () => {
        const { body } = await running.call(null, "POST", "/api/auth/login", { username, password });
        signed.token = body.accessToken;
      },
      get: (path, headers) => running.call(signed.token, "GET", path, undefined, headers),
      post: (path, sent, headers) => running.call(signed.token, "POST", path, sent, headers),
      put: (path, sent) => running.call(signed.token, "PUT", path, sent),
    };
    await signed.signIn();
    return signed;
  };
}
