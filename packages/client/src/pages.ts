interface Page {
  readonly nextCursor: string | null;
}

/** Walks all pages, item by item, asking for the next page only when it is needed. */
export async function* everyItem<OnePage extends Page, Item>(
  fetchPage: (cursor: string | undefined) => Promise<OnePage>,
  itemsOf: (page: OnePage) => readonly Item[],
): AsyncGenerator<Item, void, undefined> {
  let cursor: string | undefined;
  do {
    const page = await fetchPage(cursor);
    yield* itemsOf(page);
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}
