import type { FanOut } from "@bursar/engine/change/fan-out";
import type { Gateway } from "@bursar/gateway/gateway";
import type { RestDeps } from "../../rest/context.ts";
import type { AuthRouteDeps } from "./auth-answers.ts";

/** What the credit-check API stands on: the same engine as REST v1, the gateway for its chat, and people. */
export interface CreditCheckDeps extends RestDeps, AuthRouteDeps {
  readonly identity: AuthRouteDeps["identity"];
  readonly gateway: Gateway;
  /** How long one answer of a model may take. */
  readonly chatSeconds?: number;
  /** How often whoever watches a chat is asked for again; default 20. */
  readonly watchSeconds?: number;
  /** Carries what observers see between processes; absent: this process is the only one. */
  readonly fanOut?: FanOut;
}
