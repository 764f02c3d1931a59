import type { SandboxFile } from "./demo.ts";

/** What a newcomer sees: enough to try the main job at once. */
export function banner(sandbox: SandboxFile, dataDir: string): string {
  const { url, apiKey } = sandbox;
  return `
  Bursar · prepaid credits for AI products
  SANDBOX: demo account, a model in a box, no real money. Not for production.

  URL       ${url}
  API key   ${apiKey}
  Data      ${dataDir}

  Try it:

  curl -N ${url}/v1/chat/completions \\
    -H "Authorization: Bearer ${apiKey}" -H "Content-Type: application/json" \\
    -d '{"model":"sandbox-small","stream":true,"messages":[{"role":"user","content":"What is a prepaid credit?"}]}'

  npx bursar balance              what it cost
  npx bursar explain <request id> why (the id is in the answer's last chunk)
`;
}
