import type { MicroCredits } from "@bursar/contract/money";

/** What a run has done, kept so that another process can go on with it. Steps have names that are the same in every
 *  life of the run: `a1.3` is the third model call of its first agent, `a1.3.0` the first tool that it asked for. */
export interface Journal {
  /** In how many processes the run has been, this one included; 1: it begins. */
  readonly life: number;
  /** What steps have cost that were cut in earlier lives. They are done again. */
  readonly cut: MicroCredits;
  /** As it was kept in an earlier life; undefined: nothing was. */
  find(name: string): unknown;
  /** Resolves once it cannot be lost. Throws: Suspended, where another process has taken the run over; it could not be
   *  kept, and then nothing may rely on it. */
  keep(name: string, value: unknown): Promise<void>;
}

/** For a run that ends with its process. */
export const NO_JOURNAL: Journal = {
  life: 1,
  cut: 0n,
  find: () => undefined,
  keep: async () => undefined,
};
