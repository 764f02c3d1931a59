import { createHash } from "node:crypto";
import { escapeHtml } from "@bursar/identity/mail/letters";

/** HTML that is safe to send as it is. Made by `html` alone, which escapes what is put into it. */
export interface Html {
  readonly html: string;
}

/** A template in which every value is escaped, unless it is Html itself or a list of it. */
export function html(
  strings: TemplateStringsArray,
  ...values: readonly (string | Html | readonly Html[])[]
): Html {
  const shown = values.map((value) => {
    if (typeof value === "string") return escapeHtml(value);
    return "html" in value ? value.html : value.map((each) => each.html).join("");
  });
  return { html: String.raw({ raw: strings }, ...shown) };
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 26rem; margin: 4rem auto; padding: 0 1rem; color: #1a1f24; }
h1 { font-size: 1.4rem; } label { display: block; margin: .8rem 0; }
input { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: .5rem; margin-top: .2rem; }
button { font: inherit; padding: .5rem 1rem; margin: .4rem .4rem 0 0; } code { font-size: 1.2em; letter-spacing: .1em; }
[role=alert] { border-left: 3px solid #b3261e; padding-left: .8rem; }`;

const STYLE_HASH = createHash("sha256").update(STYLE).digest("base64");

/** No scripts, no frames around it, nothing from elsewhere. Where a form may lead on to is up to the forms. */
const HEADERS = {
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'`,
  "x-frame-options": "DENY",
  "x-content-type-options": "nosniff",
  // The token in an address must not leave; "no-referrer" would make browsers hide the Origin of our own forms.
  "referrer-policy": "same-origin",
};

/** The title of the first page, and in those of all. */
export const NAME = "Bursar";

/** A whole page with one column and no script. */
export function page(
  title: string,
  body: Html,
  options: { status?: number; alert?: string | undefined } = {},
): Response {
  const { status = 200, alert } = options;
  const said = alert === undefined ? html`` : html`<p role="alert">${alert}</p>`;
  const document = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title === NAME ? NAME : `${title} · ${NAME}`}</title>${{ html: `<style>${STYLE}</style>` }}</head>
<body><main><h1>${title}</h1>${said}${body}</main></body></html>`;
  return new Response(document.html, { status, headers: HEADERS });
}
