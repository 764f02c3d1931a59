import type { Deps } from "../deps.ts";
import { readRepository } from "./repository.ts";
import * as store from "./store-repositories.ts";
import { type Denied, type InOrganization, lookInto, takeTurn } from "./turn.ts";

type RepositoryDeps = Pick<Deps, "pool" | "clock">;

export interface AboutRepository extends InOrganization {
  /** As git or a browser has it. */
  readonly url: string;
}

export type RepositoryChange =
  | { readonly kind: "done"; readonly repository: string }
  | { readonly kind: "repository_invalid"; readonly message: string }
  | { readonly kind: "repository_unknown"; readonly repository: string }
  | Denied;

/** From now on the organization pays for its members' work on this repository. */
export async function addRepository(
  deps: RepositoryDeps,
  request: AboutRepository,
): Promise<RepositoryChange> {
  const read = readRepository(request.url);
  if (read.kind === "invalid") return { kind: "repository_invalid", message: read.message };
  const { organizationId, actor } = request;
  return takeTurn(deps, request, "change", async ({ client, now }) => {
    await store.insertRepository(client, { organizationId, repository: read.name, by: actor.by, at: now });
    return { kind: "done", repository: read.name };
  });
}

export async function removeRepository(
  deps: RepositoryDeps,
  request: AboutRepository,
): Promise<RepositoryChange> {
  const read = readRepository(request.url);
  if (read.kind === "invalid") return { kind: "repository_invalid", message: read.message };
  const repository = read.name;
  return takeTurn(deps, request, "change", async ({ client }) => {
    const isGone = await store.deleteRepository(client, request.organizationId, repository);
    return isGone ? { kind: "done", repository } : { kind: "repository_unknown", repository };
  });
}

export function repositories(
  deps: RepositoryDeps,
  request: InOrganization,
): Promise<
  { readonly kind: "repositories"; readonly repositories: readonly store.RepositoryRecord[] } | Denied
> {
  return lookInto(deps, request, "see", async ({ client, organization }) => ({
    kind: "repositories",
    repositories: await store.listRepositories(client, organization.id),
  }));
}
