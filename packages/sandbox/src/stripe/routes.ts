import { chargeRoutes } from "./charge/routes.ts";
import { customerRoutes } from "./customer/routes.ts";
import { endpointRoutes } from "./event/endpoints.ts";
import { eventRoutes } from "./event/routes.ts";
import { intentRoutes } from "./intent/routes.ts";
import { methodRoutes } from "./method/routes.ts";
import type { Includable } from "./wire/expand.ts";
import type { Route } from "./wire/route.ts";

/** Everything that the API answers. */
export const ROUTES: readonly Route[] = [
  ...customerRoutes,
  ...methodRoutes,
  ...intentRoutes,
  ...chargeRoutes,
  ...eventRoutes,
  ...endpointRoutes,
];

/** What objects leave out unless `expand` names it. */
export const INCLUDABLE: Includable = {};
