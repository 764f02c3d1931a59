import type { TestLog } from "./log.ts";
import { call, messageOf, type Reply, type Services } from "./services.ts";

export interface Login {
  readonly username: string;
  readonly password: string;
}

/** What one step leaves for those after it. */
export interface State {
  readonly services: Services;
  readonly user: Login;
  readonly admin: Login;
  readonly log: TestLog;
  userToken?: string;
  userId?: string;
  adminToken?: string;
}

export interface Step {
  readonly name: string;
  readonly title: string;
  /** Whether the steps after it make no sense without it. */
  readonly isVital: boolean;
  readonly run: (state: State) => Promise<boolean>;
}

const ALLOCATED = 1000;
const REQUIRED = 100;
const NON_STREAMING = 50;
const MODEL = "amazon.nova-micro-v1:0";

/** The documented flow, in its order. */
export const STEPS: readonly Step[] = [
  { name: "health", title: "CHECKING SERVICES HEALTH", isVital: true, run: checkHealth },
  { name: "version", title: "CHECKING API VERSION", isVital: false, run: checkVersion },
  { name: "login", title: "AUTHENTICATING USER", isVital: true, run: logIn },
  { name: "admin login", title: "AUTHENTICATING ADMIN", isVital: true, run: logInAsAdmin },
  { name: "allocate", title: "ALLOCATING CREDITS", isVital: false, run: allocate },
  { name: "balance", title: "CHECKING CREDIT BALANCE", isVital: false, run: checkBalance },
  { name: "check", title: "TESTING CREDIT CHECK ENDPOINT", isVital: false, run: testCheck },
  {
    name: "insufficient",
    title: "TESTING INSUFFICIENT CREDITS SCENARIO",
    isVital: false,
    run: testInsufficient,
  },
  { name: "non-streaming", title: "TESTING NON-STREAMING CHAT", isVital: false, run: testNonStreaming },
];

function servicesOf({ services }: State): [name: string, url: string][] {
  return [
    ["Authentication", services.auth],
    ["Accounting", services.accounting],
    ["Chat", services.chat],
  ];
}

async function checkHealth(state: State): Promise<boolean> {
  let isHealthy = true;
  for (const [name, url] of servicesOf(state)) {
    const reply = await call(url, "GET", "/health");
    if (reply.status === 200) state.log.say("SUCCESS", `${name} service is healthy (${url})`);
    else state.log.say("ERROR", `${name} service at ${url} is not: ${messageOf(reply)}`);
    isHealthy &&= reply.status === 200;
  }
  return isHealthy;
}

async function checkVersion(state: State): Promise<boolean> {
  const versions = new Set<string>();
  for (const [name, url] of servicesOf(state)) {
    const { body } = await call(url, "GET", "/health");
    const version = typeof body["version"] === "string" ? body["version"] : "unknown";
    state.log.say("INFO", `${name} service: version ${version}`);
    versions.add(version);
  }
  const isOne = versions.size === 1 && !versions.has("unknown");
  if (isOne) state.log.say("SUCCESS", "All services have the same version");
  else state.log.say("WARNING", "The services do not all say the same version");
  return isOne;
}

async function logIn(state: State): Promise<boolean> {
  const reply = await tokenFor(state, state.user);
  if (reply === null) return false;
  state.userToken = reply.token;
  state.userId = reply.userId;
  return true;
}

async function logInAsAdmin(state: State): Promise<boolean> {
  const reply = await tokenFor(state, state.admin);
  if (reply === null) return false;
  state.adminToken = reply.token;
  return true;
}

async function tokenFor({ services, log }: State, login: Login) {
  const reply = await call(services.auth, "POST", "/api/auth/login", { body: login });
  const { accessToken, user } = reply.body;
  if (reply.status !== 200 || typeof accessToken !== "string") {
    log.say("ERROR", `Logging in as ${login.username} failed: ${messageOf(reply)}`);
    return null;
  }
  log.say("SUCCESS", `Logged in as ${login.username}`);
  return { token: accessToken, userId: (user as { id: string }).id };
}

async function allocate(state: State): Promise<boolean> {
  return give(state, ALLOCATED, "credit check test");
}

async function give(
  { services, adminToken, userId, log }: State,
  credits: number,
  notes: string,
): Promise<boolean> {
  const body = { userId, credits, expiryDays: 30, notes };
  const reply = await call(services.accounting, "POST", "/api/credits/allocate", { token: adminToken, body });
  const isDone = reply.status === 201 && reply.body["totalCredits"] === credits;
  if (isDone) log.say("SUCCESS", `Allocated ${credits} credits, until ${String(reply.body["expiresAt"])}`);
  else log.say("ERROR", `Allocating ${credits} credits failed: ${messageOf(reply)}`);
  return isDone;
}

async function checkBalance(state: State): Promise<boolean> {
  const { log } = state;
  const reply = await balanceOf(state);
  const { totalCredits, activeAllocations } = reply.body;
  if (reply.status !== 200 || typeof totalCredits !== "number" || !Array.isArray(activeAllocations)) {
    log.say("ERROR", `Reading the balance failed: ${messageOf(reply)}`);
    return false;
  }
  log.say("SUCCESS", `Current balance: ${totalCredits} credits in ${activeAllocations.length} allocations`);
  return totalCredits >= 0;
}

function balanceOf({ services, userToken }: State): Promise<Reply> {
  return call(services.accounting, "GET", "/api/credits/balance", { token: userToken });
}

/** Both names of the field, as clients of either age send it. */
async function testCheck(state: State): Promise<boolean> {
  let isRight = true;
  for (const field of ["requiredCredits", "credits"]) {
    const reply = await check(state, { [field]: REQUIRED });
    const isSufficient = reply.status === 200 && reply.body["sufficient"] === true;
    if (isSufficient) state.log.say("SUCCESS", `Credit check of ${REQUIRED} by "${field}" says sufficient`);
    else
      state.log.say(
        "ERROR",
        `Credit check of ${REQUIRED} by "${field}" does not say sufficient: ${messageOf(reply)}`,
      );
    isRight &&= isSufficient;
  }
  const negative = await check(state, { credits: -1 });
  if (negative.status === 400) state.log.say("SUCCESS", "A negative amount is refused");
  else state.log.say("ERROR", `A negative amount is not refused: ${messageOf(negative)}`);
  return isRight && negative.status === 400;
}

function check({ services, userToken }: State, body: object): Promise<Reply> {
  return call(services.accounting, "POST", "/api/credits/check", { token: userToken, body });
}

async function testInsufficient(state: State): Promise<boolean> {
  const { log } = state;
  const total = Number((await balanceOf(state)).body["totalCredits"]);
  log.say("INFO", `Current balance: ${total} credits`);
  const credits = total + 1000;
  log.say("INFO", `Testing credit check with ${credits} credits (more than available)`);
  const reply = await check(state, { credits });
  const isNo = reply.status === 200 && reply.body["sufficient"] === false;
  if (isNo) log.say("SUCCESS", "Credit check correctly identified insufficient credits");
  else log.say("ERROR", `Credit check incorrectly reported sufficient credits: ${messageOf(reply)}`);
  log.say("INFO", JSON.stringify(reply.body));
  return isNo;
}

/** A chat answered in one piece is billed, and by exactly what it says. */
async function testNonStreaming(state: State): Promise<boolean> {
  const { services, userToken: token, log } = state;
  if (!(await give(state, NON_STREAMING, "non-streaming test"))) return false;
  const chat = await call(services.chat, "POST", "/api/chat/sessions", { token, body: { modelId: MODEL } });
  if (chat.status !== 201) {
    log.say("ERROR", `Opening a chat failed: ${messageOf(chat)}`);
    return false;
  }
  const before = microOf((await balanceOf(state)).body["totalCredits"]);
  const path = `/api/chat/sessions/${String(chat.body["id"])}/messages`;
  const answer = await call(services.chat, "POST", path, { token, body: { content: "What is a credit?" } });
  const after = microOf((await balanceOf(state)).body["totalCredits"]);
  await call(services.chat, "DELETE", `/api/chat/sessions/${String(chat.body["id"])}`, { token });
  if (answer.status !== 201) {
    log.say("ERROR", `The model gave no answer: ${messageOf(answer)}`);
    return false;
  }
  const charged = microOf(answer.body["credits"]);
  const isExact = charged > 0 && before - after === charged;
  if (isExact)
    log.say(
      "SUCCESS",
      `The answer cost ${String(answer.body["credits"])} credits, and the balance fell by that`,
    );
  else
    log.say(
      "ERROR",
      `The answer cost ${String(answer.body["credits"])} credits, but the balance went from ${before / 1e6} to ${after / 1e6}`,
    );
  return isExact;
}

/** To compare without the dust of binary fractions. */
function microOf(credits: unknown): number {
  return Math.round(Number(credits) * 1e6);
}
