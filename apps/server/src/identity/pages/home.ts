import type { Hono } from "hono";
import { VERSION } from "../../version.ts";
import { html, NAME, page } from "./page.ts";

/** Where the printed address leads in a browser: what this server is, and the pages and documents that it has. */
export function mountHomePage(app: Hono, mode: "sandbox" | "live", hasMailbox: boolean): void {
  const mails = html`<li><a href="/sandbox/mail">Mails</a> that it would have sent</li>`;
  app.get("/", () =>
    page(
      NAME,
      html`<p>Prepaid credits for AI products. Version ${VERSION}, ${mode} mode.</p>
<ul><li><a href="/device">Let a terminal in</a>, or sign up</li>
<li><a href="/second-factor">Second step</a> of signing in, which automatic purchases need</li>
<li><a href="/openapi.json">API description</a> for <code>/v1</code></li>
<li><a href="/ready">State</a> of this server</li>${hasMailbox ? mails : html``}</ul>`,
    ),
  );
}
