export interface Patience {
  /** Aborted when the server is silent for too long, or when the caller gives up. */
  readonly signal: AbortSignal;
  /** Something arrived: the wait starts anew. */
  heard(): void;
  end(): void;
  /** Throws the reason of the caller's own signal, so that wanting to stop does not look like a failure. */
  throwIfCallerGaveUp(): void;
}

/** A limit on silence rather than on the whole: a long stream may take its time as long as it says something. */
export function startPatience(milliseconds: number, caller: AbortSignal | undefined): Patience {
  const silence = new AbortController();
  const giveUp = () =>
    silence.abort(new DOMException(`no answer for ${milliseconds / 1000} s`, "TimeoutError"));
  let timer = setTimeout(giveUp, milliseconds);
  return {
    signal: caller === undefined ? silence.signal : AbortSignal.any([caller, silence.signal]),
    heard: () => {
      clearTimeout(timer);
      timer = setTimeout(giveUp, milliseconds);
    },
    end: () => clearTimeout(timer),
    throwIfCallerGaveUp: () => caller?.throwIfAborted(),
  };
}
