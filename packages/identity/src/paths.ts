/** Where better-auth answers; /api/auth belongs to the credit-check API. */
export const IDENTITY_PATH = "/api/identity";
/** Where the OIDC provider sends people back to. */
export const OAUTH_CALLBACK_PATH = "/api/oauth/callback";
/** Where the server tells the library who calls; whatever a caller writes there is replaced. */
export const ADDRESS_HEADER = "x-bursar-address";
export const OIDC_PROVIDER = "oidc";
/** The only program that may ask for a device code. */
export const DEVICE_CLIENT = "bursar-cli";
