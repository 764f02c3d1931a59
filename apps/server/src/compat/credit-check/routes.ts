import { allocationRoutes } from "./allocations.ts";
import { authRoutes } from "./auth.ts";
import { chatRoutes } from "./chat/routes.ts";
import { creditRoutes } from "./credits.ts";
import type { CreditCheckDeps } from "./deps.ts";
import type { Route } from "./route.ts";
import { streamingRoutes } from "./streaming-sessions.ts";
import { usageRoutes } from "./usage.ts";

/** Every endpoint of the credit-check API, in the order in which they match. */
export function creditCheckRoutes(deps: CreditCheckDeps): Route[] {
  return [
    ...authRoutes(deps),
    ...creditRoutes(deps),
    ...allocationRoutes(deps),
    ...streamingRoutes(deps),
    ...usageRoutes(deps),
    ...chatRoutes(deps),
  ];
}
