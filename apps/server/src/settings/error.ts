/** Prints as one line, without a stack. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}
