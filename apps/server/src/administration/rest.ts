import type { ErrorCode } from "@bursar/contract/errors";
import type { AccountId } from "@bursar/contract/ids";
import type { Operation } from "@bursar/contract/operation";
import { batchOperation } from "@bursar/contract/operations/spend";
import type { OperationName } from "@bursar/contract/v1";
import type { Administrator, Ending, Intent } from "@bursar/engine/administration/action";
import type { Principal } from "@bursar/engine/key/principal";
import { organizationAccountId } from "@bursar/engine/organization/turn";
import type { Call, Success } from "../rest/context.ts";
import { isProblem, type Problem } from "../rest/problem.ts";
import type { Streamed } from "../rest/streamed.ts";
import { KEPT_FIELDS, pick } from "./kept.ts";
import { reasonIn } from "./reason.ts";

type Asked = Pick<
  Call<OperationName>,
  "principal" | "accountId" | "params" | "query" | "rawBody" | "requestId" | "reason"
>;

/** Using credits is no administration, whoever's key it is: the ledger's entries name who, thousands of times a second.
 *  Nor is what only changes nothing. */
const WORK: readonly OperationName[] = [
  "check",
  "createHold",
  "extendHold",
  "settleHold",
  "releaseHold",
  "createRun",
  "endRun",
  "spend",
  "previewSubscription",
];

/** What anybody can only do for themselves. */
const ONLY_OWN: readonly OperationName[] = [
  "requestCredits",
  "leaveOrganization",
  "acceptInvite",
  "deletePerson",
];

const NOT_RECORDED: ReadonlySet<string> = new Set([...WORK, ...ONLY_OWN]);

/** Whether calls of this operation can be an administrator's deed, and so have a row in `KEPT_FIELDS`. */
export function isRecorded({ name, method }: Pick<Operation, "name" | "method">): boolean {
  return method !== "get" && name !== "batch" && !NOT_RECORDED.has(name);
}

export function administratorOf({
  principal,
  requestId,
}: Pick<Asked, "principal" | "requestId">): Administrator {
  return { by: principal.by, name: principal.person?.email ?? null, keyId: principal.keyId, requestId };
}

/** What a call is going to do as an administrator, to be written before; nothing where it is none. Of a batch, each
 *  grant is an action of its own. */
export function intentsOf(operation: Operation, call: Asked): Intent[] {
  if (!isByAdministrator(operation, call)) return [];
  if (operation.name === "batch") return grantsIn(call).map(({ grant }) => grantIntent(call, grant));
  if (!isRecorded(operation)) return [];
  return [
    {
      operation: operation.name,
      accountId: accountIn(operation, call),
      target: (call.params as { id?: string } | undefined)?.id ?? null,
      reason: call.reason,
      fields: pick(call.rawBody, KEPT_FIELDS[operation.name as OperationName] ?? []),
    },
  ];
}

/** On an account of their own, or as a member of an organization, an administrator is somebody like everybody else. A
 *  batch may grant, which is never that. */
function isByAdministrator({ access, name }: Operation, { principal, accountId }: Asked): boolean {
  if (principal.kind !== "admin") return false;
  return access !== "account" || name === "batch" || isOnBehalf(principal, accountId);
}

function isOnBehalf({ organization, accountId: own }: Principal, accountId: AccountId): boolean {
  return organization === undefined && accountId !== own;
}

/** As far as the request says it. */
function accountIn(
  { access, path }: Operation,
  { accountId, params, query, rawBody }: Asked,
): AccountId | null {
  if (access === "account") return accountId;
  const { id } = (params ?? {}) as { id?: AccountId };
  if (path.startsWith("/v1/organizations/{id}")) return organizationAccountId(id!);
  if (path.startsWith("/v1/accounts/{id}")) return id!;
  const named = (part: unknown) => (part as { accountId?: AccountId } | undefined)?.accountId;
  return named(rawBody) ?? named(query) ?? null;
}

interface Grant {
  readonly accountId?: AccountId;
}

/** Those that are well formed, with their places in the batch: what cannot be understood is not done. */
function grantsIn({ rawBody }: Pick<Asked, "rawBody">): { grant: Grant; index: number }[] {
  const { operations } = rawBody as { operations: unknown[] };
  return operations.flatMap((each, index) =>
    batchOperation.safeParse(each).data?.op === "grant" ? [{ grant: each as Grant, index }] : [],
  );
}

function grantIntent(call: Asked, grant: Grant): Intent {
  return {
    operation: "createGrant",
    accountId: grant.accountId ?? call.accountId,
    target: null,
    reason: reasonIn(grant) ?? call.reason,
    fields: pick(grant, KEPT_FIELDS.createGrant!),
  };
}

type Outcome = Success<OperationName> | Streamed | Problem;

/** How the intents of a call ended, in their order; null: nobody knows. */
export function endingsOf(operation: Operation, call: Asked, outcome: Outcome): (Ending | null)[] {
  if (isProblem(outcome)) {
    const count = operation.name === "batch" ? grantsIn(call).length : 1;
    return Array.from({ length: count }, () => ({ outcome: outcome.problem }));
  }
  if ("stream" in outcome) return [{ outcome: "done" }];
  if (operation.name === "batch") return grantEndings(call, outcome.answer);
  const { repeated, accountId, answer } = outcome;
  return [{ outcome: repeated === true ? "repeated" : "done", accountId, result: resultOf(answer) }];
}

interface BatchResult {
  readonly ok: boolean;
  readonly id?: string;
  readonly error?: { readonly code: string };
}

/** Answers of operations that failed, and may be done all the same. */
const UNKNOWN: ReadonlySet<string> = new Set<ErrorCode>(["unavailable", "internal"]);

function grantEndings(call: Asked, answer: unknown): (Ending | null)[] {
  const { results } = answer as { results: BatchResult[] };
  return grantsIn(call).map(({ index }) => {
    const { ok, error, id } = results[index]!;
    if (ok) return { outcome: "done", result: id };
    return UNKNOWN.has(error!.code) ? null : { outcome: error!.code };
  });
}

/** The repository that was mapped, the id of what was made or changed, or the price book's version. */
function resultOf(answer: unknown): string | undefined {
  const { repository, id, version } = answer as { repository?: string; id?: string; version?: number };
  return repository ?? id ?? (version === undefined ? undefined : String(version));
}
