/** Waits while the reader of our output is slower than the server. */
export function written(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}
