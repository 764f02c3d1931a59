import { rm } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { silentLog } from "../log.ts";
import { StartError } from "../start-error.ts";
import { findBinaries } from "./binaries.ts";
import type { Folder } from "./folder.ts";
import { chooseIdentity } from "./identity.ts";
import { initializeCluster } from "./initialize.ts";
import { logSince, logSize, trimLog } from "./log-file.ts";
import type { Ownership } from "./owner.ts";
import type { EmbeddedPostgres, EmbeddedRequest } from "./postgres.ts";
import { endLeftover, isReady, stopPostmaster } from "./postmaster.ts";
import { LEDGER_SETTINGS, type PostgresSettings, settingArguments } from "./settings.ts";
import { type Supervisor, superviseCommand } from "./supervisor.ts";

const READY_TIMEOUT_SECONDS = 300;
const READY_POLL_MILLISECONDS = 5;

interface Running {
  readonly folder: Folder;
  readonly supervisor: Supervisor;
  readonly ownership: Ownership;
  readonly onLost: (reason: string) => void;
  readonly temporary: boolean;
}

/** Runs Postgres on a folder that is ours alone. */
export async function startOwned(
  request: EmbeddedRequest,
  folder: Folder,
  ownership: Ownership,
): Promise<EmbeddedPostgres> {
  const log = request.log ?? silentLog;
  const binaries = await findBinaries();
  const identity = await chooseIdentity(folder, binaries);
  const temporary = request.temporary ?? false;
  const password = await initializeCluster({ folder, binaries, identity, durable: !temporary });
  await endLeftover(folder, log);
  await trimLog(folder.logFile);
  const settings = { ...LEDGER_SETTINGS, ...request.settings, ...placeSettings(folder) };
  const logOffset = await logSize(folder.logFile);
  const supervisor = await superviseCommand({
    identity,
    command: [binaries.postgres, "-D", folder.cluster, ...settingArguments(settings)],
    logFile: folder.logFile,
    removeAtEnd: temporary ? folder.root : null,
  });
  await waitUntilReady(folder, supervisor, logOffset);
  log.info({ pid: supervisor.pid, folder: folder.root, runsAs: identity.name }, "embedded Postgres is ready");
  const { onLost = (reason: string) => log.error({}, reason) } = request;
  const stop = stopOnce({ folder, supervisor, ownership, onLost, temporary });
  const { socketDirectory } = folder;
  return { url: connectionUrl(folder, password), socketDirectory, pid: supervisor.pid, stop };
}

/** Reachable by nothing but a socket in a folder that others may not enter. */
function placeSettings(folder: Folder): PostgresSettings {
  return {
    listen_addresses: "",
    port: 5432,
    unix_socket_directories: folder.socketDirectory,
    unix_socket_permissions: "0700",
  };
}

function connectionUrl(folder: Folder, password: string): string {
  return `postgresql://postgres:${password}@localhost/postgres?host=${encodeURIComponent(folder.socketDirectory)}`;
}

async function waitUntilReady(folder: Folder, supervisor: Supervisor, logOffset: number): Promise<void> {
  let hasEnded = false;
  void supervisor.ended.then(() => (hasEnded = true));
  const deadline = Date.now() + READY_TIMEOUT_SECONDS * 1000;
  while (!(await isReady(folder.cluster, supervisor.pid))) {
    if (hasEnded || Date.now() > deadline) {
      supervisor.requestStop();
      const excerpt = await logSince(folder.logFile, logOffset);
      throw new StartError(`Postgres did not start in ${folder.root}:\n${excerpt}`);
    }
    await delay(READY_POLL_MILLISECONDS);
  }
}

/** Every call gets the one stop's promise. */
function stopOnce(running: Running): () => Promise<void> {
  let stopped: Promise<void> | undefined;
  void reportUnexpectedEnd(running, () => stopped !== undefined);
  return () => (stopped ??= stop(running));
}

async function reportUnexpectedEnd(running: Running, isExpected: () => boolean): Promise<void> {
  const exitCode = await running.supervisor.ended;
  if (isExpected()) return;
  const cause = exitCode === null ? "it was killed" : `exit code ${exitCode}`;
  running.onLost(`Postgres ended by itself (${cause}); ${running.folder.logFile} may say why`);
}

async function stop({ folder, supervisor, ownership, temporary }: Running): Promise<void> {
  supervisor.requestStop();
  await stopPostmaster(supervisor.pid, folder.cluster);
  await supervisor.ended;
  ownership.release();
  if (folder.socketDirectory !== folder.root)
    await rm(folder.socketDirectory, { recursive: true, force: true });
  if (temporary) await rm(folder.root, { recursive: true, force: true });
}
