/** The page that the link of an invite leads to, as a browser without scripts uses it. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { peopleOf, type Signed } from "./people-of.ts";
import { type Running, startRunning } from "./running.ts";

let running: Running;
let ada: Signed;
let bob: Signed;
beforeAll(async () => {
  running = await startRunning();
  const sign = peopleOf(running);
  ada = await sign("ada");
  bob = await sign("bob");
});
afterAll(() => running.close());

async function cookieOf(username: string): Promise<string> {
  const signedIn = await fetch(`${running.url}/api/identity/sign-in/username`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ username, password: "correct horse 9" }),
  });
  return signedIn.headers
    .getSetCookie()
    .map((text) => text.split(";")[0])
    .join("; ");
}

async function press(token: string, headers: Record<string, string>) {
  const response = await fetch(`${running.url}/join`, {
    method: "POST",
    headers: { origin: running.url, ...headers },
    body: new URLSearchParams({ token }),
  });
  return { status: response.status, text: await response.text() };
}

it("opening changes nothing, the button joins whoever has signed in, once, and only from its own page", async () => {
  await ada.post("/v1/organizations", { id: "org_join", name: "<b>Join</b> & Co" });
  const invited = await ada.post("/v1/organizations/org_join/invites", { email: "bob@example.org" });
  const { link, token } = invited.body;
  const opened = await fetch(link);
  expect(opened.status).toBe(200);
  expect(await opened.text()).toContain(`value="${token}"`);
  expect((await press(token, {})).status).toBe(401);
  const cookie = await cookieOf("bob");
  expect((await press(token, { cookie, origin: "https://elsewhere.example" })).status).toBe(403);
  const other = await press(token, { cookie: await cookieOf("ada") });
  expect([other.status, other.text]).toEqual([400, expect.stringContaining("sent to another address")]);
  expect(other.text).toContain('action="/join/sign-out"');
  const joined = await press(token, { cookie });
  expect(joined.status).toBe(200);
  expect(joined.text).toContain("&lt;b&gt;Join&lt;/b&gt; &amp; Co");
  expect((await bob.get("/v1/organizations/org_join")).body).toMatchObject({ role: "member" });
  expect((await press("inv_none", { cookie })).text).toContain("not known");
});
