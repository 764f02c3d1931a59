import { html, page } from "../html.ts";
import { NAMING_HINT, OFFERED } from "./people.ts";

const NOTE = "Sandbox: this OpenID provider asks for no password. Everybody may be anybody here.";

export function loginPage(client: string, action: string, problem: string): string {
  const offered = OFFERED.map(
    ({ email, emailVerified, name }) =>
      html`<p><button name="user" value="${email}">${name}</button> ${email}${emailVerified ? "" : " (not verified)"}</p>`,
  );
  return page(
    "Who do you want to be?",
    NOTE,
    html`<p>For <strong>${client}</strong>.</p>${alert(problem)}
<form method="post" action="${action}"><fieldset><legend>Somebody we know</legend>${offered}</fieldset></form>
<form method="post" action="${action}"><fieldset><legend>Somebody else</legend>
<label for="user">${NAMING_HINT}</label><input type="text" id="user" name="user" required autocomplete="off">
<button>Sign in</button></fieldset></form>`,
  );
}

interface Consent {
  readonly client: string;
  readonly action: string;
  readonly person: string;
  readonly scopes: readonly string[];
  readonly problem: string;
}

export function consentPage({ client, action, person, scopes, problem }: Consent): string {
  const asked = scopes.map((scope) => html`<li>${scope}</li>`);
  return page(
    "Do you agree?",
    NOTE,
    html`${alert(problem)}<p><strong>${client}</strong> wants to know about <strong>${person}</strong>:</p>
<ul>${asked}</ul>
<form method="post" action="${action}"><button name="consent" value="yes">Allow</button>
<button name="consent" value="no">Deny</button></form>`,
  );
}

export function errorPage(title: string, description: string): string {
  return page(title, NOTE, html`<p>${description}</p>`);
}

function alert(problem: string) {
  return problem === "" ? html`` : html`<p role="alert">${problem}</p>`;
}
