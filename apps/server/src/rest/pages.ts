/** Pages of rows, each read after the last row of the page before; null: from the beginning. */
export async function* following<Row>(
  read: (last: Row | null) => Promise<Row[]>,
): AsyncGenerator<Row[], void, undefined> {
  let rows = await read(null);
  while (rows.length > 0) {
    yield rows;
    rows = await read(rows.at(-1)!);
  }
}

/** Pages of a listing, as its cursors lead from one to the next. */
export async function* listed<Listing extends { readonly nextCursor: string | null }, Item>(
  ask: (cursor: string | undefined) => Promise<Listing>,
  itemsOf: (listing: Listing) => Item[],
): AsyncGenerator<Item[], void, undefined> {
  let cursor: string | undefined;
  do {
    const listing = await ask(cursor);
    yield itemsOf(listing);
    cursor = listing.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export async function* mapped<Row, Item>(
  pages: AsyncIterable<readonly Row[]>,
  answerOf: (row: Row) => Item,
): AsyncGenerator<Item[], void, undefined> {
  for await (const rows of pages) yield rows.map(answerOf);
}
