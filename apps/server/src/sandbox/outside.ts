import { OAUTH_CALLBACK_PATH } from "@bursar/identity/paths";
import { type LazyStripe, startLazyStripe } from "@bursar/sandbox/lazy-stripe";
import { type SandboxMail, startSandboxMail } from "@bursar/sandbox/mail";
import { type SandboxModel, startSandboxModel } from "@bursar/sandbox/model";
import { type SandboxOidc, startSandboxOidc } from "@bursar/sandbox/oidc";

/** The outside world in a box. */
export interface Outside {
  readonly model: SandboxModel;
  /** null where a real mail server is set. */
  readonly mail: SandboxMail | null;
  /** null where a real OpenID provider is set. */
  readonly oidc: SandboxOidc | null;
  readonly stripe: LazyStripe;
  close(): Promise<void>;
}

export interface OutsideRequest {
  readonly dataDir: string;
  readonly hasMail: boolean;
  readonly hasOidc: boolean;
  /** The sandbox's time. */
  readonly now: () => Date;
}

/** Starts what stands for the world outside, each with a real protocol on a port of its own. */
export async function startOutside(request: OutsideRequest): Promise<Outside> {
  const { dataDir, hasMail, hasOidc, now } = request;
  const [model, mail, oidc, stripe] = await Promise.all([
    startSandboxModel(),
    hasMail ? startSandboxMail({ folder: `${dataDir}/mail`, now }) : null,
    hasOidc ? startSandboxOidc() : null,
    startLazyStripe({ now: () => now().getTime(), dataFile: `${dataDir}/stripe.json` }),
  ]);
  return {
    model,
    mail,
    oidc,
    stripe,
    close: async () => {
      await Promise.all([model.close(), mail?.close(), oidc?.close(), stripe.close()]);
    },
  };
}

/** How Bursar is known to the sandbox's OpenID provider: a public client, which PKCE protects. */
export const OIDC_CLIENT = "bursar";

/** Tells the provider where it may send people back to: this server under the names that its machine has. */
export function registerAtOidc(oidc: SandboxOidc, publicUrl: string): void {
  const { protocol, port } = new URL(publicUrl);
  const origin = (host: string) => `${protocol}//${host}${port === "" ? "" : `:${port}`}`;
  const bases = new Set([publicUrl, origin("127.0.0.1"), origin("localhost")]);
  const redirectUris = [...bases].map((base) => `${base}${OAUTH_CALLBACK_PATH}`);
  oidc.register({ id: OIDC_CLIENT, redirectUris });
}
