import { invalid } from "../refusal.ts";

interface Listed {
  readonly id: string;
}

interface Page {
  readonly limit?: number | undefined;
  readonly starting_after?: string | undefined;
  readonly ending_before?: string | undefined;
}

const USUAL = 10;

/** A page of what is there, newest first. `all` is in order of creation. */
export function listOf<Item extends Listed>(all: Iterable<Item>, page: Page, url: string) {
  const newestFirst = [...all].toReversed();
  const { limit = USUAL, starting_after: after, ending_before: before } = page;
  if (after !== undefined && before !== undefined) {
    throw invalid("You cannot parameterize both starting_after and ending_before.", "starting_after");
  }
  if (before !== undefined) {
    const end = placeOf(newestFirst, before, "ending_before");
    const start = Math.max(0, end - limit);
    return { object: "list" as const, data: newestFirst.slice(start, end), has_more: start > 0, url };
  }
  const start = after === undefined ? 0 : placeOf(newestFirst, after, "starting_after") + 1;
  const data = newestFirst.slice(start, start + limit);
  return { object: "list" as const, data, has_more: start + data.length < newestFirst.length, url };
}

function placeOf(items: readonly Listed[], id: string, param: string): number {
  const place = items.findIndex((item) => item.id === id);
  if (place === -1) throw invalid(`No such object in this list: '${id}'`, param, "resource_missing");
  return place;
}

/** What has in these fields what is asked for there, as far as anything is, and was made within the time asked for. */
export function matching<
  Item extends { readonly created: number },
  Params extends { readonly created?: number | Range | undefined },
>(all: Iterable<Item>, params: Params, fields: readonly (keyof Item & keyof Params)[]): Item[] {
  const isAsked = (item: Item) => (name: keyof Item & keyof Params) => {
    const asked: unknown = params[name];
    return asked === undefined || item[name] === asked;
  };
  return [...all].filter((item) => fields.every(isAsked(item)) && isWithin(item.created, params.created));
}

interface Range {
  readonly gt?: number | undefined;
  readonly gte?: number | undefined;
  readonly lt?: number | undefined;
  readonly lte?: number | undefined;
}

/** Whether a time is in a range as Stripe's lists take it: a number, or bounds. */
export function isWithin(value: number, range: number | Range | undefined): boolean {
  if (range === undefined) return true;
  if (typeof range === "number") return value === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return value > gt && value >= gte && value < lt && value <= lte;
}
