import type { IncomingMessage, ServerResponse } from "node:http";
import type Provider from "oidc-provider";
import { consentPage, errorPage, loginPage } from "./pages.ts";
import { personFrom } from "./people.ts";

export const INTERACTION_PATH = "/interaction/";

const LARGEST_FORM_BYTES = 16 * 1024;

type Interaction = Awaited<ReturnType<Provider["interactionDetails"]>>;

/** The steps between an application's question and its answer: `GET` shows the form of the step, `POST` to the same
 *  address answers it with `user=…` or `consent=yes|no`. */
export async function answerInteraction(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  try {
    const interaction = await provider.interactionDetails(request, response);
    if (request.method === "POST") await take(provider, interaction, request, response);
    else show(response, 200, pageFor(interaction));
  } catch (error) {
    if (response.headersSent) response.destroy();
    else
      show(
        response,
        400,
        errorPage("This step is over", error instanceof Error ? error.message : String(error)),
      );
  }
}

function pageFor({ prompt, params, session, uid }: Interaction, problem = ""): string {
  const client = text(params["client_id"]);
  const action = `${INTERACTION_PATH}${uid}`;
  if (prompt.name === "login") return loginPage(client, action, problem);
  const scopes = text(params["scope"]).split(" ");
  return consentPage({ client, action, person: session?.accountId ?? "", scopes, problem });
}

async function take(
  provider: Provider,
  interaction: Interaction,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const form = await readForm(request);
  if (interaction.prompt.name === "login") return takeLogin(provider, interaction, form, request, response);
  switch (form.get("consent")) {
    case "yes": {
      const grantId = await grantAll(provider, interaction);
      await provider.interactionFinished(request, response, { consent: { grantId } }, MERGE);
      return;
    }
    case "no": {
      const refusal = { error: "access_denied", error_description: "The person did not agree" };
      await provider.interactionFinished(request, response, refusal, { mergeWithLastSubmission: false });
      return;
    }
    default:
      show(response, 400, pageFor(interaction, "consent: must be yes or no"));
  }
}

/** The sign-in that preceded the consent goes with it. */
const MERGE = { mergeWithLastSubmission: true };

async function takeLogin(
  provider: Provider,
  interaction: Interaction,
  form: URLSearchParams,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const person = personFrom(form.get("user") ?? "");
  if (person === null) {
    show(response, 400, pageFor(interaction, "user: must be a name without spaces, or an e-mail address"));
    return;
  }
  await provider.interactionFinished(
    request,
    response,
    { login: { accountId: person.sub } },
    { mergeWithLastSubmission: false },
  );
}

/** Agrees to all that is asked for. */
async function grantAll(provider: Provider, interaction: Interaction): Promise<string> {
  const { grantId, params, session, prompt } = interaction;
  const known = grantId === undefined ? undefined : await provider.Grant.find(grantId);
  const grant =
    known ?? new provider.Grant({ accountId: session!.accountId, clientId: text(params["client_id"]) });
  const { missingOIDCScope, missingOIDCClaims } = prompt.details;
  if (Array.isArray(missingOIDCScope)) grant.addOIDCScope(missingOIDCScope.join(" "));
  if (Array.isArray(missingOIDCClaims)) grant.addOIDCClaims(missingOIDCClaims as string[]);
  return grant.save();
}

/** Of a parameter of the question, which is text or absent. */
function text(parameter: unknown): string {
  return typeof parameter === "string" ? parameter : "";
}

async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > LARGEST_FORM_BYTES) throw new Error("the form is too large");
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString("utf8"));
}

function show(response: ServerResponse, status: number, page: string): void {
  response.writeHead(status, {
    "content-type": "text/html; charset=utf-8",
    "cache-control": "no-store",
    "content-security-policy":
      "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
  });
  response.end(page);
}
