/** A JSON object that is written while it is read: an async part, of it or of what stands in such a part, becomes an
 *  array, a page at a time, so that its length does not matter. */
export async function* jsonDocument(parts: Parts): AsyncGenerator<string, void, undefined> {
  yield* jsonObject(parts);
  yield "\n";
}

type Parts = Readonly<Record<string, unknown>>;
type Pages = AsyncIterable<readonly unknown[]>;

async function* jsonObject(parts: Parts): AsyncGenerator<string, void, undefined> {
  let opening = "{";
  for (const [name, part] of Object.entries(parts)) {
    yield `${opening}${JSON.stringify(name)}:`;
    opening = ",\n";
    if (isPaged(part)) yield* jsonArray(part);
    else yield JSON.stringify(part);
  }
  yield "}";
}

function isPaged(part: unknown): part is Pages {
  return typeof part === "object" && part !== null && Symbol.asyncIterator in part;
}

function hasPages(item: unknown): item is Parts {
  return typeof item === "object" && item !== null && Object.values(item).some(isPaged);
}

async function* jsonArray(pages: Pages): AsyncGenerator<string, void, undefined> {
  let opening = "[";
  for await (const page of pages) {
    if (page.length === 0) continue;
    yield opening;
    opening = ",\n";
    if (page.some(hasPages)) yield* jsonItems(page);
    else yield page.map((item) => JSON.stringify(item)).join(",\n");
  }
  yield opening === "[" ? "[]" : "]";
}

async function* jsonItems(items: readonly unknown[]): AsyncGenerator<string, void, undefined> {
  for (const [index, item] of items.entries()) {
    if (index > 0) yield ",\n";
    if (hasPages(item)) yield* jsonObject(item);
    else yield JSON.stringify(item);
  }
}
