/** Encrypted data cannot be read. Thrown, because no caller may go on as if there were nothing. */
export class SecretUnreadable extends Error {
  override readonly name = "SecretUnreadable";
  readonly reason: "damaged" | "data_key_unknown" | "master_key_missing";

  constructor(reason: SecretUnreadable["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

export function masterKeyMissing(id: string): SecretUnreadable {
  return new SecretUnreadable(
    "master_key_missing",
    `the master key ${id} is not set: add it to BURSAR_OLD_MASTER_KEYS`,
  );
}
