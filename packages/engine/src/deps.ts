import type { Log } from "@bursar/database/log";
import type pg from "pg";
import type { Changes } from "./change/changes.ts";
import type { Clock } from "./clock/clock.ts";
import type { GatePorts } from "./gate/ports.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Mail } from "./mail/mail.ts";
import type { Prices } from "./price/prices.ts";
import type { RefusalLog } from "./receipt/refusal-log.ts";
import type { Secrets } from "./secret/secrets.ts";
import type { TopUps } from "./topup/cover.ts";

/** For the packages that know the engine and not the database. */
export type { Log } from "@bursar/database/log";

/** What the capabilities are given; each asks for the part it uses. */
export interface Deps {
  readonly ledger: Ledger;
  /** For reads, and for writes that are not money. */
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly prices: Prices;
  readonly refusals: RefusalLog;
  /** The outbox: `send` promises, the background keeps it. */
  readonly mail: Mail;
  /** Fields that are encrypted at rest. */
  readonly secrets: Secrets;
  /** Where payments are set: the gate's way to credits that are not there yet. */
  readonly topUps?: TopUps | undefined;
  readonly log: Log;
  /** Who listens to which accounts change. */
  readonly changes: Changes;
  /** What the gate asks besides the ledger. */
  readonly gate: GatePorts;
}
