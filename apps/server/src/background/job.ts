/** Something that happens by itself when its time has come. Any number of processes may run it. */
export interface Job {
  readonly name: string;
  /** Does what is due by the engine's clock, a portion at a time. Returns how much that was; 0: nothing was due. */
  run(): Promise<number>;
}
