import { z } from "zod";
import { missing } from "../refusal.ts";
import { isWithin, listOf } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { listing, range, text } from "../wire/shapes.ts";

export const eventRoutes = [
  route("GET", "/v1/events/:id", nothing, ({ state }, { id }) => {
    const event = state.events.get(id);
    if (event === undefined) throw missing("event", id, "id");
    return event;
  }),
  route(
    "GET",
    "/v1/events",
    z.strictObject({
      ...listing,
      type: text.optional(),
      types: z.array(text).max(20).optional(),
      created: range.optional(),
    }),
    ({ state }, { params, path }) => {
      const found = [...state.events.values()].filter(({ type, created }) => {
        const isWanted = params.type === undefined || matches(params.type, type);
        return isWanted && (params.types?.includes(type) ?? true) && isWithin(created, params.created);
      });
      return listOf(found, params, path);
    },
  ),
];

/** `charge.*` asks for all of a kind. */
function matches(wanted: string, type: string): boolean {
  return wanted.endsWith("*") ? type.startsWith(wanted.slice(0, -1)) : type === wanted;
}
