import { createHash } from "node:crypto";

/** What the agent knows of the files: as it last read or wrote them. */
export interface Seen {
  note(absolute: string, bytes: Uint8Array): void;
  /** `unread`: never seen. `changed`: somebody else has written since. */
  compare(absolute: string, bytes: Uint8Array): "same" | "changed" | "unread";
}

export function createSeen(): Seen {
  const hashes = new Map<string, string>();
  return {
    note: (absolute, bytes) => void hashes.set(absolute, hashOf(bytes)),
    compare: (absolute, bytes) => {
      const known = hashes.get(absolute);
      if (known === undefined) return "unread";
      return known === hashOf(bytes) ? "same" : "changed";
    },
  };
}

export function hashOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
