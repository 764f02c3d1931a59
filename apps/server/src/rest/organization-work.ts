import { credits, iso } from "@bursar/contract/shapes";
import * as repositories from "@bursar/engine/organization/repositories";
import * as requests from "@bursar/engine/organization/requests";
import type { RequestRecord } from "@bursar/engine/organization/store-requests";
import { personRequired } from "./authenticate.ts";
import type { Handler } from "./context.ts";
import { denied, inOrganization, memberUnknown } from "./organization-answers.ts";

export const requestCredits: Handler<"requestCredits"> = async (call) => {
  const personId = call.principal.person?.personId;
  if (personId === undefined) return personRequired;
  const outcome = await requests.askForMore(call.deps, { ...inOrganization(call), personId, ...call.body });
  switch (outcome.kind) {
    case "asked":
      return { answer: requestAnswer(outcome.request) };
    case "member_unknown":
      return memberUnknown(personId);
    case "cap_unset": {
      const which = outcome.window === null ? "no cap" : `no cap a ${outcome.window}`;
      return {
        problem: "cap_unset",
        message: `You have ${which}, so there is nothing to ask for`,
        param: "window",
      };
    }
    case "request_open":
      return { problem: "request_open", message: `Your request ${outcome.id} is still open` };
    default:
      return denied(outcome);
  }
};

export function requestAnswer(request: RequestRecord) {
  const { id, personId, window, amount, reason, state, approvedAmount, createdAt, decidedAt } = request;
  const approved = approvedAmount === null ? null : credits(approvedAmount);
  const times = { createdAt: iso(createdAt)!, decidedAt: iso(decidedAt) };
  return {
    id,
    memberId: personId,
    window,
    amount: credits(amount),
    reason,
    state,
    approvedAmount: approved,
    ...times,
  };
}

export const listRequests: Handler<"listRequests"> = async (call) => {
  const outcome = await requests.requests(call.deps, inOrganization(call));
  return outcome.kind === "requests"
    ? { answer: { requests: outcome.requests.map(requestAnswer) } }
    : denied(outcome);
};

export const decideRequest: Handler<"decideRequest"> = async (call) => {
  const { requestId: id, approve, amount } = call.body;
  const terms = { id, approve: approve ? { amount } : null };
  const outcome = await requests.decideRequest(call.deps, { ...inOrganization(call), ...terms });
  switch (outcome.kind) {
    case "decided":
      return { answer: requestAnswer(outcome.request) };
    case "request_unknown":
      return { problem: "request_unknown", message: `There is no request ${id}`, param: "requestId" };
    case "request_decided":
      return {
        problem: "request_decided",
        message: `The request was ${outcome.state} before`,
        param: "requestId",
      };
    default:
      return denied(outcome);
  }
};

function mapped(id: string, outcome: repositories.RepositoryChange) {
  switch (outcome.kind) {
    case "done":
      return { answer: { id, repository: outcome.repository } };
    case "repository_invalid":
      return { problem: "invalid_request", message: `url: ${outcome.message}`, param: "url" } as const;
    case "repository_unknown": {
      const message = `${outcome.repository} is none of the organization's repositories`;
      return { problem: "repository_unknown", message, param: "url" } as const;
    }
    default:
      return denied(outcome);
  }
}

export const addRepository: Handler<"addRepository"> = async (call) => {
  const request = { ...inOrganization(call), url: call.body.url };
  return mapped(call.params.id, await repositories.addRepository(call.deps, request));
};

export const removeRepository: Handler<"removeRepository"> = async (call) => {
  const request = { ...inOrganization(call), url: call.body.url };
  return mapped(call.params.id, await repositories.removeRepository(call.deps, request));
};

export const listRepositories: Handler<"listRepositories"> = async (call) => {
  const outcome = await repositories.repositories(call.deps, inOrganization(call));
  if (outcome.kind !== "repositories") return denied(outcome);
  const found = outcome.repositories.map(({ repository, addedAt }) => ({
    repository,
    addedAt: iso(addedAt)!,
  }));
  return { answer: { repositories: found } };
};
