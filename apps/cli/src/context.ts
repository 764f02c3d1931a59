import type { Flags, Need } from "./connection/choose.ts";
import {
  type Chosen,
  type Connection,
  chooseOrExplain,
  connect,
  serverOrExplain,
} from "./connection/connect.ts";
import { findSandbox, type Sandbox, sandboxPaths } from "./connection/sandbox.ts";
import { openServerTime } from "./connection/server-time.ts";
import type { ExitName } from "./exit.ts";
import { createPaint, type Paint, wantsColours } from "./output/paint.ts";
import { freshToken } from "./sign-in/fresh.ts";
import { openSignIns } from "./sign-in/store.ts";
import { instantOf, isFromNow, type Moment } from "./values.ts";

export interface GlobalFlags extends Flags {
  readonly json?: boolean;
  readonly color: boolean;
  /** Why an administrator does it. */
  readonly why?: string;
}

/** How texts for people are drawn: pure functions take this, so that they can be read and tested alone. */
export interface Look {
  readonly paint: Paint;
  readonly nowMilliseconds: number;
}

export interface Machine {
  readonly environment: NodeJS.ProcessEnv;
  readonly folder: string;
  /** The folder that this program is part of. */
  readonly repository: string;
}

/** What a command is given. */
export interface Context extends Machine {
  flags(): GlobalFlags;
  isJson(): boolean;
  look(stream?: NodeJS.WriteStream): Look;
  connect(need: Need): Promise<Connection>;
  /** The origin of the server, for commands that need no key. */
  server(): string;
  /** When that is by the clock of the server that was connected to. */
  instant(at: Moment | undefined): Promise<string | undefined>;
  sandbox(): Sandbox | null;
  /** Prints the one answer: as JSON when asked for, else as text for people. */
  print(answer: unknown, text: (look: Look) => string): void;
  /** Says how the process ends when nothing is thrown; default: done. */
  conclude(exit: ExitName): void;
  verdict(): ExitName;
  /** What the last connection was made of, for the explanation of a failure. */
  lastChosen(): Chosen | undefined;
}

export function createContext(machine: Machine, flags: () => GlobalFlags): Context {
  const { environment, folder, repository } = machine;
  const paths = sandboxPaths(environment, folder, repository);
  const sandbox = () => findSandbox(paths);
  const isJson = () => flags().json === true;
  const time = openServerTime();
  let chosen: Chosen | undefined;
  let verdict: ExitName = "done";

  const look = (stream: NodeJS.WriteStream = process.stdout): Look => ({
    paint: createPaint(wantsColours(stream, environment, !flags().color)),
    nowMilliseconds: time.now(),
  });
  return {
    ...machine,
    flags,
    isJson,
    look,
    sandbox,
    connect: async (need) => {
      const signIns = openSignIns(environment);
      const known = { flags: flags(), environment, sandbox: sandbox(), signIns: signIns.all() };
      chosen = chooseOrExplain(known, need, { paths, repository });
      const { signedIn } = chosen;
      const { value: given } = chosen.key;
      const { why } = flags();
      const said = { reason: why, fetch: time.fetch };
      if (signedIn === undefined) return connect(chosen, () => Promise.resolve(given), said);
      const renew = () => freshToken(signIns, signedIn);
      const value = await renew();
      return connect({ ...chosen, key: { ...chosen.key, value } }, renew, said);
    },
    instant: async (at) => {
      if (at === undefined) return undefined;
      if (chosen !== undefined && isFromNow(at)) await time.learn(chosen.url.value);
      return instantOf(at, time.now());
    },
    server: () => serverOrExplain({ flags: flags(), environment, sandbox: sandbox() }, { paths, repository }),
    print: (answer, text) => {
      process.stdout.write(`${isJson() ? JSON.stringify(answer, null, 2) : text(look())}\n`);
    },
    conclude: (exit) => {
      verdict = exit;
    },
    verdict: () => verdict,
    lastChosen: () => chosen,
  };
}
