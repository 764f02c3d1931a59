/** Reads the fields of a body by name, so that what is wrong is named with what would be right. */
export interface FieldProblem {
  readonly status: 400 | 404 | 422;
  readonly message: string;
}

interface TextField<Optional extends boolean> {
  readonly right: string;
  readonly optional: Optional;
}

export function text(right: string): TextField<false>;
export function text(right: string, optional: "optional"): TextField<true>;
export function text(right: string, optional?: "optional"): TextField<boolean> {
  return { right, optional: optional !== undefined };
}

type Read<Shape extends Record<string, TextField<boolean>>> = {
  readonly [Name in keyof Shape]: Shape[Name]["optional"] extends true ? string | undefined : string;
};

const LONGEST = 4096;

/** Every field as text that is not empty; optional ones may be absent or null. */
export function fields<Shape extends Record<string, TextField<boolean>>>(
  body: Readonly<Record<string, unknown>>,
  shape: Shape,
): Read<Shape> | FieldProblem {
  const read: Record<string, string | undefined> = {};
  for (const [name, { right, optional }] of Object.entries(shape)) {
    const value = body[name] ?? undefined;
    if (value === undefined && optional) continue;
    if (typeof value !== "string" || value.trim() === "" || value.length > LONGEST) {
      return { status: 400, message: `${name}: must be ${right}` };
    }
    read[name] = value;
  }
  return read as Read<Shape>;
}

export function isFieldProblem(value: object): value is FieldProblem {
  return "status" in value && "message" in value;
}

/** A caller's own words, as the ledger keeps them for good: no more than so many characters, and none that Postgres has
 *  not. null for what is none. */
export function words(value: unknown, longest: number): string | null {
  if (typeof value !== "string") return null;
  const kept = value.replaceAll("\0", "").slice(0, longest);
  return kept.trim() === "" ? null : kept;
}

/** A model as a caller names it. The name is kept with what was charged, so it is no longer than a model's name. */
export function isModelId(value: unknown): value is string {
  return typeof value === "string" && /^[^\0]{1,128}$/s.test(value);
}

/** An answer of this API that is not a success: `{message}`, and what else helps. */
export function message(status: number, text: string, extra: object = {}): Response {
  return Response.json({ message: text, ...extra }, { status });
}
