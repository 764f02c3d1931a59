import type { z } from "zod";
import type { ErrorCode } from "./errors.ts";

/** Who may call: anyone, a key of the account, a person who has signed in, or only an admin key, which may call all of
 *  them. With an admin key, an account's call names its account by `accountId`, in the body or the query. */
export type Access = "anyone" | "account" | "person" | "admin";

/** One operation, defined once: REST mounts it, the client calls it, the CLI and the documentation show it. */
export interface Operation<
  Params extends z.ZodType = z.ZodType,
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  readonly name: string;
  readonly method: "get" | "post" | "put" | "patch" | "delete";
  /** With `{name}` for parameters. */
  readonly path: string;
  readonly access: Access;
  readonly summary: string;
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Status of a first success; a repetition answers 200. */
  readonly status: 200 | 201;
  readonly answer: Answer;
  /** Media types that the answer may have instead of JSON, where its caller asks for them. */
  readonly otherMedia?: readonly string[];
  readonly errors: readonly ErrorCode[];
}

export function operation<
  Params extends z.ZodType = z.ZodUndefined,
  Query extends z.ZodType = z.ZodUndefined,
  Body extends z.ZodType = z.ZodUndefined,
  Answer extends z.ZodType = z.ZodUndefined,
>(definition: Operation<Params, Query, Body, Answer>): Operation<Params, Query, Body, Answer> {
  return definition;
}

export type ParamsOf<O> = O extends Operation<infer P, z.ZodType, z.ZodType, z.ZodType> ? z.output<P> : never;
export type QueryOf<O> = O extends Operation<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.output<Q> : never;
export type BodyOf<O> = O extends Operation<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.output<B> : never;
export type AnswerOf<O> = O extends Operation<z.ZodType, z.ZodType, z.ZodType, infer A> ? z.output<A> : never;
/** What a caller writes, before defaults and conversions. */
export type BodyInput<O> = O extends Operation<z.ZodType, z.ZodType, infer B, z.ZodType> ? z.input<B> : never;
export type QueryInput<O> =
  O extends Operation<z.ZodType, infer Q, z.ZodType, z.ZodType> ? z.input<Q> : never;
