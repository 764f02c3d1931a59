import type { Log } from "@bursar/engine/deps";
import type { Mail } from "@bursar/engine/mail/mail";
import { canGetMail } from "../people/naming.ts";
import { hashOfToken } from "../token/refresh.ts";
import { resetLetter, verificationLetter } from "./letters.ts";

/** Mail about who somebody is. Handing it on never delays and never fails the request that caused it. */
export interface Post {
  sendVerification(to: Addressee, link: string, token: string): void;
  sendReset(to: Addressee, link: string, token: string): void;
}

interface Addressee {
  readonly email: string;
  readonly name: string;
}

export function openPost(deps: { mail: Mail; log: Log }): Post {
  const send = (kind: string, to: Addressee, token: string, letter: ReturnType<typeof resetLetter>) => {
    if (!canGetMail(to.email)) return;
    const id = `${kind}:${hashOfToken(token).toString("hex").slice(0, 32)}`;
    deps.mail.send({ id, to: to.email, ...letter }).catch((error: unknown) => {
      deps.log.error({ err: error, mailId: id }, "a mail could not be handed on");
    });
  };
  return {
    sendVerification: (to, link, token) =>
      send("verify", to, token, verificationLetter(to.name, link, token)),
    sendReset: (to, link, token) => send("reset", to, token, resetLetter(to.name, link, token)),
  };
}
