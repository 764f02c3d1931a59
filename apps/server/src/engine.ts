import { setTimeout } from "node:timers/promises";
import type { AccountId } from "@bursar/contract/ids";
import type { MicroCredits } from "@bursar/contract/money";
import { APPLICATION_ROLE, connectionOptions } from "@bursar/database/connection";
import { openPool } from "@bursar/database/pool";
import { openChanges } from "@bursar/engine/change/changes";
import type { FanOut } from "@bursar/engine/change/fan-out";
import { joinFanOuts, openRedisFanOut } from "@bursar/engine/change/redis";
import { shareFanOut } from "@bursar/engine/change/shared";
import { openNotifyFanOut } from "@bursar/engine/change/store-notify";
import type { Clock } from "@bursar/engine/clock/clock";
import type { Deps, Log } from "@bursar/engine/deps";
import { type Keys, openKeys } from "@bursar/engine/key/keys";
import { openLedger } from "@bursar/engine/ledger/ledger";
import { openOutbox } from "@bursar/engine/mail/outbox";
import { openOrganizationGate } from "@bursar/engine/organization/gate";
import type { Payments } from "@bursar/engine/payment/payments";
import { openPrices } from "@bursar/engine/price/prices";
import { openQuotaGate } from "@bursar/engine/quota/gate";
import { openRefusalLog } from "@bursar/engine/receipt/refusal-log";
import { openMasterKeys } from "@bursar/engine/secret/master-keys";
import { openSecrets } from "@bursar/engine/secret/secrets";
import { openTopUps } from "@bursar/engine/topup/open";
import { readTopUpBelow } from "@bursar/engine/topup/store-policies";
import pg from "pg";

export interface Engine extends Deps {
  readonly keys: Keys;
  /** What processes tell one another; for several listeners. */
  readonly fanOut: FanOut;
  /** null where no payment provider is set. */
  readonly payments: Payments | null;
  /** Below which balance an account buys by itself, for forecasts; null: it does not. */
  readonly topUpBelow: (accountId: AccountId) => Promise<MicroCredits | null>;
  close(): Promise<void>;
}

/** A database that hangs must not keep the process from ending. */
const GOODBYE_MILLISECONDS = 2000;

/** How long a caller waits on the database before the answer is no: with the work around it, within 2 seconds. */
const DATABASE_SECONDS = 1.7;

/** How long a request waits for credits that are being bought, unless it is set. */
const TOP_UP_WAIT_SECONDS = 10;

export interface EngineRequest {
  readonly url: string;
  readonly lanes: number;
  readonly clock: Clock;
  readonly log: Log;
  /** The newest first; without any, nothing can be encrypted, and nothing encrypted be read. */
  readonly masterKeys?: readonly string[];
  /** Carries what processes tell each other; null: the database does. */
  readonly redisUrl?: string | null;
  readonly payments?: Payments | null;
  readonly topUpWaitSeconds?: number | undefined;
  /** How long a caller waits on the database before the answer is no. */
  readonly databaseSeconds?: number;
}

/** The domain on one database: everything that serves requests asks it. */
export function openEngine(request: EngineRequest): Engine {
  const { url, lanes, clock, log, masterKeys = [], payments = null, redisUrl = null } = request;
  const { topUpWaitSeconds = TOP_UP_WAIT_SECONDS, databaseSeconds = DATABASE_SECONDS } = request;
  const connection = {
    url,
    applicationName: "bursar",
    role: APPLICATION_ROLE,
    connectTimeoutSeconds: databaseSeconds,
  };
  const limits = { statementTimeoutSeconds: 10, queryTimeoutSeconds: databaseSeconds };
  const pool = openPool({ ...connection, ...limits, log });
  const connectNotify = () =>
    new pg.Client(
      connectionOptions({
        ...connection,
        applicationName: "bursar-changes",
        queryTimeoutSeconds: databaseSeconds,
      }),
    );
  const notify = openNotifyFanOut({ connect: connectNotify, log });
  const redis = redisUrl === null ? null : openRedisFanOut({ url: redisUrl, log });
  const fanOut = shareFanOut(redis === null ? notify : joinFanOuts(notify, redis));
  const changes = openChanges({ fanOut, log });
  const ledger = openLedger({
    connect: () => new pg.Client(connectionOptions({ ...connection, applicationName: "bursar-ledger" })),
    onCommitted: (accountIds) => changes.changed(accountIds),
    clock,
    log,
    lanes,
    settings: { timeoutMilliseconds: databaseSeconds * 1000 },
  });
  const prices = openPrices({ pool, clock });
  const refusals = openRefusalLog({ pool, log });
  const keys = openKeys({ pool, clock, log });
  const mail = openOutbox({ pool, clock });
  const secrets = openSecrets({ pool, clock }, openMasterKeys(masterKeys));
  const paying = payments === null ? null : { ledger, pool, clock, prices, secrets, log, payments };
  const topUps = paying === null ? undefined : openTopUps(paying, { waitSeconds: topUpWaitSeconds });
  const topUpBelow = (accountId: AccountId) => readTopUpBelow(pool, accountId);
  const close = async () => {
    await ledger.close();
    await keys.close();
    await changes.close();
    await Promise.race([pool.end(), setTimeout(GOODBYE_MILLISECONDS, undefined, { ref: false })]);
  };
  const gate = {
    organizations: openOrganizationGate({ pool }),
    quota: openQuotaGate({ ledger, pool, clock, log }),
    topUp: topUps,
  };
  return {
    ledger,
    pool,
    clock,
    prices,
    refusals,
    keys,
    mail,
    secrets,
    log,
    changes,
    fanOut,
    gate,
    topUps,
    payments,
    topUpBelow,
    close,
  };
}
