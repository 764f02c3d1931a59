import type { Log } from "@bursar/engine/deps";
import type { Mail } from "@bursar/engine/mail/mail";

/** Where no way for mail is set: each mail is refused, and the log says which. Addresses and texts stay out of it. */
export function mailOff(log: Log): Mail {
  return {
    send: ({ id }) => {
      log.warn({ mailId: id }, "mail is off: not sent");
      return Promise.resolve();
    },
  };
}
