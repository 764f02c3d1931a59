import type { Log } from "@bursar/engine/deps";

export interface OidcSettings {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string | null;
}

/** With what the provider says about itself. */
export interface DiscoveredOidc extends OidcSettings {
  readonly secretBy: "client_secret_basic" | "client_secret_post";
}

const PATIENCE_MILLISECONDS = 3_000;

export function discoveryUrl({ issuer }: OidcSettings): string {
  return `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
}

/** null when the provider does not answer as one. */
export async function discovered(oidc: OidcSettings, log: Log): Promise<DiscoveredOidc | null> {
  const url = discoveryUrl(oidc);
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(PATIENCE_MILLISECONDS) });
    if (response.ok) return { ...oidc, secretBy: secretBy(await response.json()) };
    log.warn({ url, status: response.status }, "the OIDC provider does not answer as one");
  } catch (error) {
    log.warn({ err: error, url }, "the OIDC provider cannot be reached");
  }
  return null;
}

/** In the header, as OpenID Connect Core has it where nothing else is said, unless the provider takes only the body. */
function secretBy(document: unknown): DiscoveredOidc["secretBy"] {
  const { token_endpoint_auth_methods_supported: methods } = Object(document) as Record<string, unknown>;
  const isBodyOnly = Array.isArray(methods) && !methods.includes("client_secret_basic");
  return isBodyOnly ? "client_secret_post" : "client_secret_basic";
}
