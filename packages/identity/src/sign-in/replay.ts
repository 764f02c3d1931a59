import { createHash } from "node:crypto";
import { APIError, type createAuthMiddleware, getSessionFromCtx } from "better-auth/api";
import type pg from "pg";
import { useCode } from "./store-used-codes.ts";

type Context = Parameters<Parameters<typeof createAuthMiddleware>[0]>[0];

/** A code is right for its own half minute and one to either side; for as long it must not come twice. */
export const CODE_SECONDS = 120;

/** A TOTP code that was sent once, be it right or wrong, is refused from then on: whoever looks over a shoulder or
 *  replays a request gets nothing. Done before the code is checked, so that twins cannot both pass. */
export async function refuseReplay(context: Context, pool: pg.Pool): Promise<void> {
  const { code } = context.body as { code?: unknown };
  if (typeof code !== "string") return;
  const userId = await userOf(context);
  if (userId === null) return;
  const hash = createHash("sha256").update(code).digest();
  if (await useCode(pool, userId, hash, CODE_SECONDS)) return;
  throw new APIError("UNAUTHORIZED", {
    code: "CODE_USED",
    message: "This code was used before; wait for the next",
  });
}

/** Whose second step this is: of a sign-in under way, or of whoever is signed in. */
async function userOf(context: Context): Promise<string | null> {
  const session = await getSessionFromCtx(context);
  if (session !== null) return session.user.id;
  const { name } = context.context.createAuthCookie("two_factor");
  const identifier = await context.getSignedCookie(name, context.context.secret);
  if (!identifier) return null;
  return (await context.context.internalAdapter.findVerificationValue(identifier))?.value ?? null;
}
