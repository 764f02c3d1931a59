import { createFaults, type Faults } from "./faults.ts";
import { createPromptCache, type PromptCache } from "./promptcache.ts";
import { createRequestLog, type WritableRequestLog } from "./requests.ts";
import { createScripts, type Scripts } from "./scripts.ts";

/** Everything one sandbox model remembers. */
export interface World {
  apiKey: string | undefined;
  faults: Faults;
  requests: WritableRequestLog;
  scripts: Scripts;
  promptCache: PromptCache;
}

export function createWorld(apiKey: string | undefined): World {
  return {
    apiKey,
    faults: createFaults(),
    requests: createRequestLog(),
    scripts: createScripts(),
    promptCache: createPromptCache(),
  };
}
