import { setTimeout } from "node:timers/promises";
import { APPLICATION_ROLE, connectionOptions } from "@bursar/database/connection";
import { openPool } from "@bursar/database/pool";
import { openChanges } from "@bursar/engine/change/changes";
import { joinFanOuts, openRedisFanOut } from "@bursar/engine/change/redis";
import { openNotifyFanOut } from "@bursar/engine/change/store-notify";
import type { Clock } from "@bursar/engine/clock/clock";
import type { Deps, Log } from "@bursar/engine/deps";
import { type Keys, openKeys } from "@bursar/engine/key/keys";
import { openLedger } from "@bursar/engine/ledger/ledger";
import { openOutbox } from "@bursar/engine/mail/outbox";
import { openOrganizationGate } from "@bursar/engine/organization/gate";
import { openPrices } from "@bursar/engine/price/prices";
import { openQuotaGate } from "@bursar/engine/quota/gate";
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
  /** Carries what processes tell each other; null: the database does. */
  readonly redisUrl?: string | null;
}

/** The domain on one database: everything that serves requests asks it. */
export function openEngine(request: EngineRequest): Engine {
  const { url, lanes, clock, log, masterKeys = [], redisUrl = null } = request;
  const connection = {
    url,
    applicationName: "bursar",
    role: APPLICATION_ROLE,
    connectTimeoutSeconds: TIMEOUT_SECONDS,
  };
  const limits = { statementTimeoutSeconds: 10, queryTimeoutSeconds: TIMEOUT_SECONDS };
  const pool = openPool({ ...connection, ...limits, log });
  const connectNotify = () =>
    new pg.Client(
      connectionOptions({
        ...connection,
        applicationName: "bursar-changes",
        queryTimeoutSeconds: TIMEOUT_SECONDS,
      }),
    );
  const notify = openNotifyFanOut({ connect: connectNotify, log });
  const fanOut = redisUrl === null ? notify : joinFanOuts(notify, openRedisFanOut({ url: redisUrl, log }));
  const changes = openChanges({ fanOut, log });
  const ledger = openLedger({
    connect: () => new pg.Client(connectionOptions({ ...connection, applicationName: "bursar-ledger" })),
    onCommitted: (accountIds) => changes.changed(accountIds),
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
    await changes.close();
    await Promise.race([pool.end(), setTimeout(GOODBYE_MILLISECONDS, undefined, { ref: false })]);
  };
  const gate = {
    organizations: openOrganizationGate({ pool }),
    quota: openQuotaGate({ ledger, pool, clock, log }),
  };
  return { ledger, pool, clock, prices, refusals, keys, mail, secrets, log, changes, gate, close };
}
