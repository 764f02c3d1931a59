/** No call uses this many; more is nonsense, and so is what comes with it. */
const LARGEST_COUNT = 1_000_000_000;

/** Whether a provider's count of tokens is one that can be billed. */
export function isTokenCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) <= LARGEST_COUNT;
}

/** Output tokens that a provider bills. xAI and Gemini count what a model thinks in the total alone, and bill it as output
 *  all the same. Without a count of the input, the total tells nothing of the output. */
export function outputTokensIn(reported: { input: number; shown: number; total: unknown }): number {
  const { input, shown, total } = reported;
  return isTokenCount(total) && input > 0 ? Math.max(shown, total - input) : shown;
}
