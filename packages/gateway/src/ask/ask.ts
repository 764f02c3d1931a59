import type { Prompt } from "./prompt.ts";

/** What a caller asks of a model, as far as billing and routing must know it. */
export interface Ask {
  /** Below the upstream's base URL. */
  readonly path: string;
  readonly model: string;
  readonly streams: boolean;
  /** The caller wants the usage chunk of a stream. */
  readonly wantsUsage: boolean;
  /** Answers to this one prompt; each may be as long as `outputLimit`. 0: no output at all, as with embeddings. */
  readonly choices: number;
  /** Tokens a choice, if the caller said so. */
  readonly outputLimit: number | null;
  readonly prompt: Prompt;
  readonly body: Readonly<Record<string, unknown>>;
}

export type Reading =
  | { readonly kind: "ask"; readonly ask: Ask }
  | { readonly kind: "invalid"; readonly param: string | null; readonly message: string };

export type Invalid = Extract<Reading, { kind: "invalid" }>;

/** Reads the body of one endpoint. Only what billing needs is checked; the rest is the upstream's to judge. */
export type Reader = (body: unknown) => Reading;
