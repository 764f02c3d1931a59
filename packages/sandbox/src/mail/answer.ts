import { randomUUID } from "node:crypto";
import type { Mailbox, StoredMail } from "./mailbox.ts";
import { listPage, mailPage, missingPage } from "./page.ts";

export const MAIL_PATH = "/sandbox/mail";

/** Scripts never run on these pages, whatever a mail contains. */
const POLICY =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; base-uri 'none'";

/** Reading by HTTP: `GET /sandbox/mail?to=`, `GET` and `DELETE /sandbox/mail`, `GET /sandbox/mail/{id}`. JSON, or a
 *  page where a browser asks. null for a path that is none of these. */
export async function answerMail(mailbox: Mailbox, request: Request): Promise<Response | null> {
  const { pathname, searchParams } = new URL(request.url);
  const [, id] = /^\/sandbox\/mail(?:\/([^/]+))?\/?$/.exec(pathname) ?? [null, null];
  if (id === null) return null;
  const wantsPage = prefersPage(request.headers.get("accept") ?? "");
  if (id !== undefined) return one(mailbox, decode(id), request.method, wantsPage);
  switch (request.method) {
    case "GET":
    case "HEAD": {
      const mails = mailbox.list(searchParams.get("to") ?? undefined);
      return wantsPage ? asPage(listPage(mails, MAIL_PATH)) : asJson({ mails: mails.map(summary) });
    }
    case "DELETE":
      await mailbox.clear();
      return asJson({ mails: [] });
    default:
      return wrongMethod("GET, DELETE");
  }
}

function one(mailbox: Mailbox, id: string, method: string, wantsPage: boolean): Response {
  if (method !== "GET" && method !== "HEAD") return wrongMethod("GET");
  const mail = mailbox.get(id);
  if (mail === null) {
    if (wantsPage) return asPage(missingPage(MAIL_PATH), 404);
    return problem(404, "mail_unknown", "not_found_error", `There is no mail ${id}`);
  }
  return wantsPage ? asPage(mailPage(mail, MAIL_PATH)) : asJson(whole(mail));
}

function summary({ id, receivedAt, from, to, subject }: StoredMail) {
  return { id, receivedAt, from, to, subject };
}

function whole(mail: StoredMail) {
  const { text, html, messageId } = mail;
  return { ...summary(mail), text, html, messageId };
}

/** Browsers name text/html first; tools ask for anything or for JSON. */
function prefersPage(accept: string): boolean {
  const [html, json] = ["text/html", "application/json"].map((type) => accept.indexOf(type));
  return html !== -1 && (json === -1 || html! < json!);
}

function decode(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

const COMMON = { "cache-control": "no-store", "x-content-type-options": "nosniff", vary: "accept" };

function asJson(value: unknown, status = 200): Response {
  return Response.json(value, { status, headers: COMMON });
}

function asPage(text: string, status = 200): Response {
  const headers = {
    ...COMMON,
    "content-type": "text/html; charset=utf-8",
    "content-security-policy": POLICY,
    "referrer-policy": "no-referrer",
  };
  return new Response(text, { status, headers });
}

function wrongMethod(allow: string): Response {
  const answer = problem(405, "method_not_allowed", "invalid_request_error", `Allowed here: ${allow}`);
  answer.headers.set("allow", allow);
  return answer;
}

/** In the shape of Bursar's own errors. */
function problem(status: number, code: string, type: string, message: string): Response {
  const requestId = `req_${randomUUID().replaceAll("-", "")}`;
  return asJson({ error: { type, code, message, param: null, requestId } }, status);
}
