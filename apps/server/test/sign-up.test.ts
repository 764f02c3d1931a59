import { afterEach, beforeEach, expect, test } from "vitest";
import { openBrowser } from "./browser.ts";
import { type Running, startRunning } from "./running.ts";

const password = "correct horse 9";
let running: Running;
let people = 0;

beforeEach(async () => {
  running = await startRunning(undefined, 0, { limits: { signUps: 4 } });
  // As after a start: nobody's query waits while the library is loaded.
  await running.identity.auth();
});
afterEach(() => running.close());

const someone = () => ({ email: `new${++people}@example.org`, username: `new${people}`, password });
const signUp = () => running.call(null, "POST", "/api/auth/signup", someone());
const byBrowser = () =>
  openBrowser(running.url).post("/api/identity/sign-up/email", { ...someone(), name: "New" });

test("an address signs up so many people an hour, by either way and however many at once", async () => {
  const answers = await Promise.all([signUp(), byBrowser(), signUp(), byBrowser(), signUp(), byBrowser()]);
  const statuses = answers.map(({ status }) => (status === 201 ? 200 : status)).toSorted((a, b) => a - b);
  expect(statuses).toEqual([200, 200, 200, 200, 429, 429]);
  for (const { headers, body } of answers.filter(({ status }) => status === 429)) {
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(3500);
    expect(body.message).toMatch(/^Too many sign-ups from this address; try again in \d+ seconds$/);
  }
  const { rows } = await running.engine.pool.query("select count(*)::int4 as n from identity.people");
  expect(rows[0].n).toBe(4);
  // Whoever is limited in signing up signs in as ever.
  await running.identity.people.create({ username: "known", email: "known@example.org", password });
  expect((await signUp()).status).toBe(429);
  const known = { username: "known", password };
  expect((await running.call(null, "POST", "/api/auth/login", known)).status).toBe(200);
});
