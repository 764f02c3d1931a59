import type { AnswerOf, BodyInput, Operation, ParamsOf, QueryInput } from "@bursar/contract/operation";
import type { sandbox } from "@bursar/contract/sandbox";
import type { v1 } from "@bursar/contract/v1";

/** What every call takes as its last argument. */
export interface CallOptions {
  /** Ends the call, and its retries; the promise then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** The longest wait for one attempt; default: the client's. */
  readonly timeoutMilliseconds?: number;
  /** Why an administrator does it, for the record; default: the client's. */
  readonly reason?: string;
}

type PathArguments<O> = ParamsOf<O> extends { id: string } ? [id: string] : [];

/** No operation has both a query and a body. */
type FieldsOf<O> = [BodyInput<O>] extends [undefined] ? QueryInput<O> : BodyInput<O>;

/** Fields that may all be left out may be left out together. */
type FieldArguments<Fields> = [Fields] extends [undefined]
  ? []
  : Partial<Fields> extends Fields
    ? [fields?: Fields]
    : [fields: Fields];

/** One operation as a method: the id of its path first, then the fields of its body or query, then the options.
 *  `settleHold("hold_1", { amount: "3" })`, `createHold({ amount: "5" })`, `getReceipt("req_1")`, `listKeys()`. */
export type Call<O> = (
  ...given: [...PathArguments<O>, ...FieldArguments<FieldsOf<O>>, options?: CallOptions]
) => Promise<AnswerOf<O>>;

type Operations = typeof v1 & typeof sandbox;

/** Every operation of the contract, typed by its own schemas: bodies as a caller writes them, answers as JSON. */
export type Calls = { readonly [Name in keyof Operations]: Call<Operations[Name]> };

export type Fields = Readonly<Record<string, unknown>>;

/** The arguments of a call, sorted out by what the operation takes. */
export interface Given {
  readonly pathId: string | undefined;
  readonly fields: Fields | undefined;
  readonly options: CallOptions;
}

export function sortArguments(operation: Operation, given: readonly unknown[]): Given {
  const takesId = operation.params !== undefined;
  const takesFields = operation.body !== undefined || operation.query !== undefined;
  const rest = takesId ? given.slice(1) : given;
  const fields = takesFields ? rest[0] : undefined;
  const options = takesFields ? rest[1] : rest[0];
  return {
    pathId: takesId && typeof given[0] === "string" ? given[0] : undefined,
    fields: isFields(fields) ? fields : undefined,
    options: isOptions(options) ? options : {},
  };
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null;
}

/** What the compiler has checked at the call is only told apart from nothing. */
function isOptions(value: unknown): value is CallOptions {
  return typeof value === "object" && value !== null;
}
