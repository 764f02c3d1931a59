/** The answer to the first request with a key. Replayed for a day of the moving clock. */
export interface SavedAnswer {
  readonly fingerprint: string;
  readonly status: number;
  readonly text: string;
  readonly requestId: string;
  readonly at: number;
}
