type Metadata = Record<string, string>;

/** Stripe merges: a name with "" goes, null for the whole removes all, undefined leaves everything. */
export function withMetadata(before: Metadata | null, change: Metadata | null | undefined): Metadata {
  if (change === undefined) return before ?? {};
  if (change === null) return {};
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== ""));
}
