import { ADDRESS_HEADER } from "@bursar/identity/paths";
import { isEmail } from "@bursar/identity/people/naming";
import { callerOf } from "../../identity/caller.ts";
import { type AuthRouteDeps, limited } from "./auth-answers.ts";
import { fields, isFieldProblem, message, text } from "./fields.ts";
import type { Route, RouteCall } from "./route.ts";

/** Ways back in, and the proof of a mailbox. */
export function recoveryRoutes(deps: AuthRouteDeps): Route[] {
  const open = (path: string, handle: (call: RouteCall) => Promise<Response>): Route => ({
    method: "post",
    path: `/api/auth/${path}`,
    access: "public",
    handle,
  });
  return [
    open("forgot-password", (call) => forgotPassword(deps, call)),
    open("reset-password", (call) => resetPassword(deps, call)),
    open("verify-email", (call) => verifyEmail(deps, call)),
  ];
}

/** The same answer for every address: nobody learns here who has an account. Counted like failed attempts, so that
 *  nobody's mailbox is flooded. */
async function forgotPassword(
  { identity, proxyHops }: AuthRouteDeps,
  { context, body }: RouteCall,
): Promise<Response> {
  const input = fields(body, { email: text("an e-mail address") });
  if (isFieldProblem(input)) return message(input.status, input.message);
  if (!isEmail(input.email)) return message(400, "email: must be an e-mail address");
  const { address } = callerOf(context, proxyHops);
  const ask = async () => {
    const auth = await identity.auth();
    const headers = new Headers({ [ADDRESS_HEADER]: address });
    await auth.api.requestPasswordReset({ body: { email: input.email }, headers });
  };
  const always = () => true;
  const outcome = await identity.attempts.guard({ account: `reset:${input.email}`, address }, ask, always);
  if (outcome.kind === "limited") return limited(outcome.retryAfterSeconds);
  return message(200, "If the address is known, a link to choose a new password has been sent to it");
}

/** Ends every session of the person: whoever knew the old password is out. */
async function resetPassword({ identity }: AuthRouteDeps, { body }: RouteCall): Promise<Response> {
  const input = fields(
    { ...body, newPassword: body.newPassword ?? body.password },
    { token: text("the token of the mail"), newPassword: text("a password of 8 to 128 characters") },
  );
  if (isFieldProblem(input)) return message(input.status, input.message);
  const { length } = input.newPassword;
  if (length < 8 || length > 128) return message(422, "newPassword: must be 8 to 128 characters");
  const auth = await identity.auth();
  const response = await auth.api.resetPassword({ body: input, asResponse: true });
  if (response.ok) return message(200, "The password has been changed; log in with it");
  return message(400, "token: is not known, was used, or has expired; ask for a new mail");
}

async function verifyEmail({ identity }: AuthRouteDeps, { body }: RouteCall): Promise<Response> {
  const input = fields(body, { token: text("the token of the mail") });
  if (isFieldProblem(input)) return message(input.status, input.message);
  const auth = await identity.auth();
  const response = await auth.api.verifyEmail({ query: { token: input.token }, asResponse: true });
  if (response.ok) return message(200, "The e-mail address is confirmed");
  return message(400, "token: is not known or has expired; log in to get a new mail");
}
