import { z } from "zod";
import type { World } from "../world.ts";
import type { Form } from "./form.ts";
import { validate } from "./validate.ts";

export type Method = "DELETE" | "GET" | "POST";

/** One request as its handler sees it: the ids of the path, and the parameters, valid. */
export interface Call<Params> {
  readonly id: string;
  readonly otherId: string;
  readonly params: Params;
  readonly path: string;
}

export interface Route {
  readonly method: Method;
  readonly path: string;
  /** Checks the parameters; what comes back does the work at once, whole or not at all. */
  readonly prepare: (world: World, path: string, ids: readonly string[], form: Form) => () => object;
}

/** Declares a route. `:id` in the path stands for an id; what `run` returns is the answer. */
export function route<Shape extends z.ZodType>(
  method: Method,
  path: string,
  shape: Shape,
  run: (world: World, call: Call<z.output<Shape>>) => object,
): Route {
  return {
    method,
    path,
    prepare: (world, path, ids, form) => {
      const params = validate(shape, form);
      return () => run(world, { id: ids[0] ?? "", otherId: ids[1] ?? "", params, path });
    },
  };
}

/** Of a request that takes nothing but `expand`. */
export const nothing = z.strictObject({});

export interface Found {
  readonly route: Route;
  readonly ids: readonly string[];
}

/** The route for a path, or null. Fixed words win over ids because they stand first in the table. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found | null {
  const parts = path.split("/");
  for (const route of routes) {
    if (route.method !== method) continue;
    const ids = idsOf(route.path.split("/"), parts);
    if (ids !== null) return { route, ids };
  }
  return null;
}

function idsOf(pattern: readonly string[], parts: readonly string[]): string[] | null {
  if (pattern.length !== parts.length) return null;
  const fits = pattern.every((part, index) => part.startsWith(":") || part === parts[index]);
  if (!fits) return null;
  return parts.filter((part, index) => pattern[index]!.startsWith(":") && part !== "");
}
