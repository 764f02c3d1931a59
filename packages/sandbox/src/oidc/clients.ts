import type { ClientMetadata } from "oidc-provider";

/** An application that may ask who somebody is. */
export interface SandboxClient {
  readonly id: string;
  /** Absent: a public client, which PKCE alone protects. */
  readonly secret?: string;
  /** How the secret is sent; default in the Authorization header. */
  readonly secretIn?: "header" | "body";
  readonly redirectUris: readonly string[];
}

/** The client in the words of the standard (RFC 7591). */
export function metadataOf({ id, secret, secretIn, redirectUris }: SandboxClient): ClientMetadata {
  const method = secretIn === "body" ? "client_secret_post" : "client_secret_basic";
  return {
    client_id: id,
    redirect_uris: [...redirectUris],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    ...(secret === undefined
      ? { token_endpoint_auth_method: "none" }
      : { client_secret: secret, token_endpoint_auth_method: method }),
  };
}
