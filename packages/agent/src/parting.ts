import { wrapLanguageModel } from "ai";
import type { Model } from "./ports.ts";
import { isSuspended } from "./suspend.ts";

/** Whether a provider has begun shows in the headers of its answer. */
const PARTING_MILLISECONDS = 5000;

/** A model, and whether its provider has begun on the call, which it charges whoever leaves then. Who cancels before that
 *  is known stops the call only once it is, or after some seconds. A run that is let go of waits for nothing. */
export function withParting(model: Model, signal: AbortSignal, patienceMilliseconds: number) {
  let hasBegun = false;
  let known: Promise<void> = Promise.resolve();
  const wrapped = wrapLanguageModel({
    model,
    middleware: {
      wrapStream: async ({ model, params }) => {
        const { abortSignal = signal } = params;
        const call = new AbortController();
        const stop = () => call.abort(abortSignal.reason);
        let parting: NodeJS.Timeout | undefined;
        const leave = () => {
          const isLeft = signal.aborted && !isSuspended(signal);
          if (hasBegun || !isLeft) stop();
          else parting = setTimeout(stop, Math.min(PARTING_MILLISECONDS, patienceMilliseconds));
        };
        if (abortSignal.aborted) stop();
        abortSignal.addEventListener("abort", leave);
        const { promise, resolve } = Promise.withResolvers<void>();
        known = promise;
        try {
          const answer = await model.doStream({ ...params, abortSignal: call.signal });
          hasBegun = true;
          if (abortSignal.aborted) stop();
          return answer;
        } finally {
          clearTimeout(parting);
          resolve();
        }
      },
    },
  });
  return { model: wrapped, hasBegun: () => known.then(() => hasBegun) };
}
