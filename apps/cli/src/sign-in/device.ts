import { setTimeout } from "node:timers/promises";
import { Failure } from "../failure.ts";
import { type Answer, ask, refusal, textOf } from "./ask.ts";

const CLIENT = "bursar-cli";
const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const SLOW_DOWN_SECONDS = 5;

export interface Device {
  readonly deviceCode: string;
  readonly userCode: string;
  /** Where a person approves, with the code filled in. */
  readonly page: string;
  readonly intervalSeconds: number;
  /** How long it can be approved. */
  readonly lifeSeconds: number;
}

/** Asks to be let in. RFC 8628, section 3.1. */
export async function askToComeIn(url: string): Promise<Device> {
  const answer = await ask(url, "POST", "/api/identity/device/code", { body: { client_id: CLIENT } });
  if (answer.status !== 200) throw refusal(answer);
  const { body } = answer;
  return {
    deviceCode: textOf(body, "device_code"),
    userCode: textOf(body, "user_code"),
    page: textOf(body, "verification_uri_complete"),
    intervalSeconds: Number(body["interval"]) || SLOW_DOWN_SECONDS,
    lifeSeconds: Number(body["expires_in"]) || 0,
  };
}

export interface LetIn {
  readonly accessToken: string;
  readonly refreshToken: string;
}

/** Waits until a person has decided, also while the server is away for a moment: the code is good all the same.
 *  Throws: denied, or nobody came in time. */
export async function waitForPerson(url: string, device: Device): Promise<LetIn> {
  const end = performance.now() + device.lifeSeconds * 1000;
  let seconds = device.intervalSeconds;
  for (;;) {
    await setTimeout(seconds * 1000);
    const answer = await decided(url, device).catch((error: unknown) => {
      if (performance.now() > end) throw error;
      return null;
    });
    if (answer === null) continue;
    if (answer.status === 200) {
      return {
        accessToken: textOf(answer.body, "access_token"),
        refreshToken: textOf(answer.body, "refresh_token"),
      };
    }
    const { error } = answer.body;
    if (error === "slow_down") seconds += SLOW_DOWN_SECONDS;
    else if (error !== "authorization_pending") throw explained(error, answer);
  }
}

/** Throws: nothing answers as it should. */
async function decided(url: string, { deviceCode }: Device): Promise<Answer> {
  const body = { client_id: CLIENT, grant_type: GRANT, device_code: deviceCode };
  const answer = await ask(url, "POST", "/api/identity/device/token", { body });
  if (answer.status >= 500) throw refusal(answer);
  return answer;
}

function explained(error: unknown, answer: Parameters<typeof refusal>[0]): Failure {
  if (error === "access_denied")
    return new Failure("notAllowed", "unauthenticated", "It was denied on the page.");
  if (error !== "expired_token") return refusal(answer);
  return new Failure("notAllowed", "unauthenticated", "Nobody approved in time.", [
    "Try again: bursar login",
  ]);
}
