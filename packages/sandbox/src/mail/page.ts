import { escape, Html, html, page } from "../html.ts";
import type { StoredMail } from "./mailbox.ts";

const NOTE = "Sandbox: all mail that Bursar sends ends here, whoever it is for. Nothing leaves this machine.";

export function listPage(mails: readonly StoredMail[], path: string): string {
  if (mails.length === 0) return page("Mail", NOTE, html`<p>No mail yet.</p>`);
  const rows = mails.map(
    (
      mail,
    ) => html`<tr><td>${mail.receivedAt.slice(0, 16).replace("T", " ")}</td><td>${mail.to.join(", ")}</td>
<td><a href="${path}/${mail.id}">${mail.subject === "" ? "(no subject)" : mail.subject}</a></td></tr>`,
  );
  return page(
    "Mail",
    NOTE,
    html`<table><thead><tr><th>Received (UTC)</th><th>To</th><th>Subject</th></tr></thead>
<tbody>${rows}</tbody></table>`,
  );
}

export function mailPage(mail: StoredMail, path: string): string {
  const formatted = mail.html === null ? html`` : html`<h2>Formatted</h2>${framed(mail.html)}`;
  return page(
    mail.subject === "" ? "(no subject)" : mail.subject,
    NOTE,
    html`<p><a href="${path}">All mail</a></p>
<p>From ${mail.from}<br>To ${mail.to.join(", ")}<br>Received ${mail.receivedAt}</p>
<pre>${linked(mail.text)}</pre>
${formatted}`,
  );
}

export function missingPage(path: string): string {
  return page("No such mail", NOTE, html`<p><a href="${path}">All mail</a></p>`);
}

/** A mail's own markup runs no scripts and cannot reach this page; its links open in a new tab. */
function framed(markup: string): Html {
  const content = `<base target="_blank">${markup}`;
  return html`<iframe title="The formatted mail" referrerpolicy="no-referrer"
 sandbox="allow-popups allow-popups-to-escape-sandbox" srcdoc="${content}"></iframe>`;
}

/** Plain text with its web addresses as links. */
function linked(text: string): Html {
  const parts = text.split(/(https?:\/\/[^\s<>"']+)/);
  const shown = parts.map((part, index) => {
    const safe = escape(part);
    return index % 2 === 0 ? safe : `<a href="${safe}" rel="noreferrer">${safe}</a>`;
  });
  return new Html(shown.join(""));
}
