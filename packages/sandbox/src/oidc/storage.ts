import type { Adapter, AdapterFactory, AdapterPayload } from "oidc-provider";
import { metadataOf, type SandboxClient } from "./clients.ts";

interface Kept {
  readonly payload: AdapterPayload;
  readonly endsAt: number;
}

/** How often, in writes, what has ended is thrown out. */
const SWEEP_EVERY = 200;

/** Everything in memory, as the provider asks for it; clients come from the map and may change while it runs. */
export function memoryStorage(clients: ReadonlyMap<string, SandboxClient>): AdapterFactory {
  const kept = new Map<string, Kept>();
  let writes = 0;

  const sweep = () => {
    if (++writes % SWEEP_EVERY !== 0) return;
    for (const [key, { endsAt }] of kept) if (endsAt <= Date.now()) kept.delete(key);
  };
  const live = (key: string) => {
    const found = kept.get(key);
    return found === undefined || found.endsAt <= Date.now() ? undefined : found.payload;
  };
  const search = (name: string, field: "uid" | "userCode", value: string) => {
    const own = [...kept.keys()].filter((key) => key.startsWith(`${name}:`));
    return own.map(live).find((payload) => payload?.[field] === value);
  };
  const findClient = (id: string) => {
    const client = clients.get(id);
    return client === undefined ? undefined : (metadataOf(client) as AdapterPayload);
  };

  return (name: string): Adapter => ({
    upsert: async (id, payload, expiresInSeconds) => {
      sweep();
      const endsAt = expiresInSeconds === undefined ? Infinity : Date.now() + expiresInSeconds * 1000;
      kept.set(`${name}:${id}`, { payload, endsAt });
    },
    find: async (id) => (name === "Client" ? findClient(id) : live(`${name}:${id}`)),
    findByUid: async (uid) => search(name, "uid", uid),
    findByUserCode: async (userCode) => search(name, "userCode", userCode),
    consume: async (id) => {
      const payload = live(`${name}:${id}`);
      if (payload !== undefined) payload.consumed = Math.floor(Date.now() / 1000);
    },
    destroy: async (id) => void kept.delete(`${name}:${id}`),
    revokeByGrantId: async (grantId) => {
      for (const [key, { payload }] of kept) if (payload.grantId === grantId) kept.delete(key);
    },
  });
}
