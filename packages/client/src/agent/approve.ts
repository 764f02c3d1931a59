/** What a person is asked before it is done. */
export type Question =
  | { readonly kind: "command"; readonly command: string; readonly cwd: string }
  | { readonly kind: "hook"; readonly name: string; readonly command: string; readonly cwd: string }
  | { readonly kind: "secret"; readonly path: string; readonly purpose: "read" | "write" };

/** The person's answer, or what was decided beforehand. The question is dropped when the signal aborts. */
export type Approve = (question: Question, signal: AbortSignal) => Promise<boolean>;
