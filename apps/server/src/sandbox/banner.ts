import { resolve } from "node:path";
import type { SandboxFile } from "./demo.ts";
import { isLoopback } from "./near.ts";

/** What a newcomer sees: enough to try the main job at once. */
export function banner(sandbox: SandboxFile, { dataDir, host }: { dataDir: string; host: string }): string {
  const { url, apiKey, mailUrl, users } = sandbox;
  const mail = mailUrl === null ? "" : `\n  Mail      ${mailUrl}`;
  return `
  Bursar · prepaid credits for AI products
  SANDBOX: demo account, a model in a box, no real money. Not for production.

  URL       ${url}
  API key   ${apiKey}
  Sign in   ${users.map(({ username, password }) => `${username} / ${password}`).join(", ")}
  Data      ${dataDir}${mail}
${host === "localhost" || isLoopback(host) ? "" : openness(host)}
  Try it:

  curl -N ${url}/v1/chat/completions \\
    -H "Authorization: Bearer ${apiKey}" -H "Content-Type: application/json" \\
    -d '{"model":"sandbox-small","stream":true,"stream_options":{"include_usage":true},
         "messages":[{"role":"user","content":"What is a prepaid credit?"}]}'

  The last chunk says what it cost, and the request id. Then:
${dataDir === resolve(".bursar") ? "" : `\n  export BURSAR_DATA_DIR=${dataDir}`}
  npx bursar balance                what is left
  npx bursar explain <request id>   why it cost that
  npx bursar --help                 everything else
`;
}

/** Whom others can be here needs no guessing, so it must not be overlooked. */
function openness(host: string): string {
  return `
  OPEN TO OTHER MACHINES: this listens on ${host}. Whoever reaches it can sign in with the passwords above, which
  everybody knows, as an administrator too: read every account, give credits, and use the models and keys that are set.
  Leave HOST and --host out to be reached from this machine alone, or let a firewall choose who comes in.
`;
}
