/** The calls that run now, so that a shutdown can wait for them and, in the end, call them off. */
export interface Running {
  readonly isClosing: boolean;
  readonly count: number;
  /** Registers a call; the function returned takes it off the list again. */
  enter(callOff: () => void): () => void;
  /** Lets nothing new in and waits; after so long it calls off what still runs, and waits for that. */
  close(milliseconds: number): Promise<void>;
}

export function openRunning(): Running {
  const calls = new Set<() => void>();
  const empty = Promise.withResolvers<void>();
  let isClosing = false;
  return {
    get isClosing() {
      return isClosing;
    },
    get count() {
      return calls.size;
    },
    enter: (callOff) => {
      const call = () => callOff();
      calls.add(call);
      return () => {
        calls.delete(call);
        if (isClosing && calls.size === 0) empty.resolve();
      };
    },
    close: async (milliseconds) => {
      isClosing = true;
      if (calls.size === 0) return;
      const timer = setTimeout(() => calls.forEach((callOff) => callOff()), milliseconds);
      await empty.promise;
      clearTimeout(timer);
    },
  };
}
