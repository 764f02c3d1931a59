import { afterAll, beforeAll, expect, test } from "vitest";
import { openBrowser } from "./browser.ts";
import { type Running, startRunning } from "./running.ts";

const password = "correct horse 9";
let running: Running;
let people = 0;

beforeAll(async () => {
  running = await startRunning(undefined, 0, { limits: { signUps: 4 } });
});
afterAll(() => running.close());

const someone = () => ({ email: `new${++people}@example.org`, username: `new${people}`, password });
const signUp = () => running.call(null, "POST", "/api/auth/signup", someone());
const byBrowser = () =>
  openBrowser(running.url).post("/api/identity/sign-up/email", { ...someone(), name: "New" });

test("an address signs up so many people an hour, by either way and however many at once", async () => {
  const answers = await Promise.all([signUp(), byBrowser(), signUp(), byBrowser(), signUp(), byBrowser()]);
  expect(answers.filter(({ status }) => status === 200 || status === 201)).toHaveLength(4);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused).toHaveLength(2);
  for (const { headers, body } of refused) {
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(3500);
    expect(body.message).toMatch(/^Too many sign-ups from this address; try again in \d+ seconds$/);
  }
  const { rows } = await running.engine.pool.query("select count(*)::int4 as n from identity.people");
  expect(rows[0].n).toBe(4);
});

test("who is limited in signing up signs in as ever", async () => {
  const username = "known";
  await running.identity.people.create({ username, email: "known@example.org", password });
  expect((await signUp()).status).toBe(429);
  expect((await running.call(null, "POST", "/api/auth/login", { username, password })).status).toBe(200);
});
