import { newRequestId } from "@bursar/contract/ids";
import { pendingMigrations } from "@bursar/database/migrate";
import type { FanOut } from "@bursar/engine/change/fan-out";
import type { Gateway } from "@bursar/gateway/gateway";
import type { OpenIdentity } from "@bursar/identity/open";
import { Hono } from "hono";
import { creditCheckRoutes } from "./compat/credit-check/routes.ts";
import { mountGateway } from "./compat/openai.ts";
import { settingsRoutes } from "./compat/settings/low-balance.ts";
import { mountIdentity } from "./identity/mount.ts";
import { mountHomePage } from "./identity/pages/home.ts";
import { mountJoinPage } from "./identity/pages/join.ts";
import { mountRoutes } from "./identity/routes.ts";
import { mountMetrics } from "./metrics.ts";
import type { DocumentSettings } from "./payments/document.ts";
import { mountDocuments } from "./payments/documents.ts";
import { mountPayments } from "./payments/mount.ts";
import { type MountDeps, mountRest } from "./rest/mount.ts";
import { openApiDocument } from "./rest/openapi.ts";
import { answerProblem } from "./rest/problem.ts";
import { unexpected } from "./rest/unexpected.ts";
import { mountSandbox, type SandboxRoutes, tellTime } from "./sandbox/routes.ts";
import type { Sockets } from "./socket/open.ts";
import { VERSION } from "./version.ts";

export interface AppDeps extends MountDeps {
  readonly identity: OpenIdentity;
  readonly gateway: Gateway;
  readonly mode: "sandbox" | "live";
  readonly migrations: string;
  readonly sockets?: Pick<Sockets, "size">;
  /** Where mail goes. Off: it waits in the outbox, and is given up after three days. */
  readonly mailServer: "smtp" | "sandbox" | "off";
  /** In sandbox mode only. */
  readonly sandbox?: SandboxRoutes;
  readonly documents?: DocumentSettings;
  /** Carries what observers of chats see between processes. */
  readonly fanOut?: FanOut;
}

const NO_DOCUMENTS: DocumentSettings = { seller: null, documentFont: null };

/** Everything that is answered over HTTP. */
export function createApp(deps: AppDeps): Hono {
  const app = new Hono();
  const document = openApiDocument();
  if (deps.sandbox !== undefined) tellTime(app, deps.sandbox.clock);
  app.get("/health", (context) => context.json({ status: "ok", version: VERSION, mode: deps.mode }));
  app.get("/ready", async (context) => {
    const ready = await readiness(deps);
    return context.json(ready, ready.status === "ready" ? 200 : 503);
  });
  app.get("/openapi.json", (context) => context.json(document));
  mountMetrics(app, deps);
  mountHomePage(app, deps.mode, deps.sandbox !== undefined);
  mountIdentity(app, deps);
  mountJoinPage(app, deps);
  mountRoutes(app, deps, creditCheckRoutes(deps));
  mountRoutes(app, deps, settingsRoutes(deps));
  mountGateway(app, deps);
  if (deps.payments !== null) mountPayments(app, { ...deps, payments: deps.payments });
  mountDocuments(app, { ...deps, documents: deps.documents ?? NO_DOCUMENTS });
  mountRest(app, deps);
  if (deps.sandbox !== undefined) mountSandbox(app, deps, deps.sandbox);
  app.notFound((context) => {
    const problem = {
      problem: "not_found",
      message: `There is no ${context.req.method} ${context.req.path}`,
    } as const;
    return answerProblem(problem, newRequestId());
  });
  app.onError((error, context) => {
    const requestId = newRequestId();
    return answerProblem(unexpected(deps, error, requestId, context.req.path), requestId);
  });
  return app;
}

/** Ready when the database answers, its schema is the code's, every lane of the ledger works, and there are prices.
 *  Without mail it is ready, too. */
async function readiness(deps: AppDeps) {
  const [database, migrations, lanes, prices] = await Promise.all([
    holds(deps.pool.query("select 1")),
    holds(
      pendingMigrations({ pool: deps.pool, directory: deps.migrations }).then((pending) => {
        if (pending.length > 0) throw new Error("migrations are pending");
      }),
    ),
    holds(deps.ledger.check()),
    holds(Promise.resolve(deps.prices.current())),
  ]);
  const status = database && migrations && lanes && prices ? "ready" : "not_ready";
  return { status, version: VERSION, checks: { database, migrations, lanes, prices }, mail: deps.mailServer };
}

function holds(check: Promise<unknown>): Promise<boolean> {
  return check.then(
    () => true,
    () => false,
  );
}
