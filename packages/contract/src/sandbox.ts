import * as operations from "./operations/sandbox.ts";

/** What a sandbox answers besides REST v1. In live mode none of it exists. */
export const sandbox = {
  getClock: operations.getClock,
  moveClock: operations.moveClock,
  listMail: operations.listMail,
  getMail: operations.getMail,
  clearMail: operations.clearMail,
} as const;
