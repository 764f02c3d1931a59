import type { OpenIdentity } from "@bursar/identity/open";
import type { Role } from "@bursar/identity/person";

/** People to try things with. Their passwords are public, so live mode does not start while any of them works. */
export const SANDBOX_PEOPLE: readonly { username: string; password: string; role: Role }[] = [
  { username: "admin", password: "admin@admin", role: "admin" },
  { username: "user1", password: "User1@123", role: "user" },
  { username: "supervisor1", password: "Supervisor1@123", role: "supervisor" },
];

export interface SandboxPerson {
  readonly username: string;
  readonly password: string;
  readonly email: string;
  readonly role: Role;
  readonly userId: string;
  readonly accountId: string;
}

/** Makes whoever is missing; who is there stays as they are. */
export function preparePeople(identity: OpenIdentity): Promise<SandboxPerson[]> {
  return Promise.all(
    SANDBOX_PEOPLE.map(async ({ username, password, role }) => {
      const email = `${username}@sandbox.test`;
      const known = await identity.people.find(username);
      if (known === null) {
        await identity.people.create({
          username,
          email,
          password,
          role,
          name: username,
          emailVerified: true,
          // Their balances are what whoever tries something gives them.
          welcome: false,
        });
      }
      const person = (await identity.people.find(username))!;
      return { username, password, email, role, userId: person.id, accountId: person.accountId };
    }),
  );
}

/** The first sandbox user whose public password works here, or null. */
export async function sandboxPersonIn(identity: OpenIdentity): Promise<string | null> {
  for (const { username, password } of SANDBOX_PEOPLE) {
    if (await identity.people.hasPassword(username, password)) return username;
  }
  return null;
}
