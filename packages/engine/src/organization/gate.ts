import type { Deps } from "../deps.ts";
import type { Payer as GatePayer, GatePorts, PayerQuestion } from "../gate/ports.ts";
import { type Payer, payerFor } from "./payer.ts";
import { organizationAccountId } from "./turn.ts";

/** The gate's question, answered for people by their memberships and for keys by the account that they belong to. */
export function openOrganizationGate(deps: Pick<Deps, "pool">): NonNullable<GatePorts["organizations"]> {
  return {
    payerFor: async (question) => {
      const { principal, organizationId, repositoryUrl } = question;
      if (principal.person === undefined) return payerOfKey(question);
      const { personId } = principal.person;
      const asked = {
        organizationId: organizationId ?? undefined,
        repositoryUrl: repositoryUrl ?? undefined,
      };
      return gatePayer(await payerFor(deps, { personId, ...asked }));
    },
  };
}

/** A key is one account's, an administrator's any; a repository says nothing about either. */
function payerOfKey({ principal, organizationId }: PayerQuestion): GatePayer {
  if (organizationId === null) return { kind: "own" };
  const accountId = organizationAccountId(organizationId);
  if (principal.accountId === accountId) return { kind: "own" };
  if (principal.kind === "admin") return { kind: "organization", accountId, caps: [] };
  return unknown(organizationId);
}

function unknown(id: string): GatePayer {
  return { kind: "refused", error: "organization_unknown", message: `You are in no organization ${id}` };
}

function gatePayer(payer: Payer): GatePayer {
  switch (payer.kind) {
    case "own":
      return payer;
    case "organization": {
      const { accountId, caps, organizationId: id, role } = payer;
      return { kind: "organization", accountId, caps, organization: { id, role } };
    }
    case "organization_unknown":
      return unknown(payer.id);
    case "repository_invalid":
      return {
        kind: "refused",
        error: "invalid_request",
        message: `The repository's address ${payer.message}`,
      };
    case "repository_unknown": {
      const message = `${payer.repository} is none of the organization's repositories, and it pays only for its own work`;
      return { kind: "refused", error: "repository_unknown", message };
    }
    case "organization_ambiguous": {
      const message = `Several of your organizations have this repository: name one of ${payer.ids.join(", ")}`;
      return { kind: "refused", error: "organization_ambiguous", message };
    }
  }
}
