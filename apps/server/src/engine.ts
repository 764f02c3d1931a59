import { setTimeout } from "node:timers/promises";
import { APPLICATION_ROLE, connectionOptions } from "@bursar/database/connection";
import { openPool } from "@bursar/database/pool";
import type { Clock } from "@bursar/engine/clock/clock";
import type { Deps, Log } from "@bursar/engine/deps";
import { type Keys, openKeys } from "@bursar/engine/key/keys";
import { openLedger } from "@bursar/engine/ledger/ledger";
import { openOutbox } from "@bursar/engine/mail/outbox";
import { openPrices } from "@bursar/engine/price/prices";
import { openRefusalLog } from "@bursar/engine/receipt/refusal-log";
import { openMasterKeys } from "@bursar/engine/secret/master-keys";
import { openSecrets } from "@bursar/engine/secret/secrets";
import pg from "pg";

export interface Engine extends Deps {
  readonly keys: Keys;
  close(): Promise<void>;
}

/** A database that hangs must not keep the process from ending. */
const GOODBYE_MILLISECONDS = 2000;

/** How long a caller waits on the database before the answer is no: with the work around it, within 2 seconds. */
const TIMEOUT_SECONDS = 1.8;

export interface EngineRequest {
  readonly url: string;
  readonly lanes: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The newest first; without any, nothing can be encrypted, and nothing encrypted be read. */
  readonly masterKeys?: readonly string[];
}

/** The domain on one database: everything that serves requests asks it. */
export function openEngine(request: EngineRequest): Engine {
  const { url, lanes, clock, log, masterKeys = [] } = request;
  const connection = {
    url,
    applicationName: "bursar",
    role: APPLICATION_ROLE,
    connectTimeoutSeconds: TIMEOUT_SECONDS,
  };
  const limits = { statementTimeoutSeconds: 10, queryTimeoutSeconds: TIMEOUT_SECONDS };
  const pool = openPool({ ...connection, ...limits, log });
  const connect = () => new pg.Client(connectionOptions({ ...connection, applicationName: "bursar-ledger" }));
  const ledger = openLedger({
    connect,
    clock,
    log,
    lanes,
    settings: { timeoutMilliseconds: TIMEOUT_SECONDS * 1000 },
  });
  const prices = openPrices({ pool, clock });
  const refusals = openRefusalLog({ pool, log });
  const keys = openKeys({ pool, clock, log });
  const mail = openOutbox({ pool, clock });
  const secrets = openSecrets({ pool, clock }, openMasterKeys(masterKeys));
  const close = async () => {
    await ledger.close();
    await keys.close();
    await Promise.race([pool.end(), setTimeout(GOODBYE_MILLISECONDS, undefined, { ref: false })]);
  };
  return { ledger, pool, clock, prices, refusals, keys, mail, secrets, log, close };
}
