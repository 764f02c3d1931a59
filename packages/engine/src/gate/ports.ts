import type { AccountId } from "@bursar/contract/ids";
import type { Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import type { Principal } from "../key/principal.ts";
import type { Cap } from "../ledger/command.ts";

/** Whose credits pay. */
export type Payer =
  | { readonly kind: "own" }
  /** `caps`: what this member may use of them. */
  | {
      readonly kind: "organization";
      readonly accountId: AccountId;
      readonly caps: readonly Cap[];
      /** Which it is, and by which role the caller acts for it. */
      readonly organization?: Principal["organization"];
    }
  | {
      readonly kind: "refused";
      readonly error:
        | "organization_unknown"
        | "organization_ambiguous"
        | "repository_unknown"
        | "invalid_request"
        | "admin_required";
      readonly message: string;
    };

/** What a caller says about who should pay; null where nothing was said. */
export interface PayerQuestion {
  readonly principal: Principal;
  readonly organizationId: string | null;
  /** A repository may map to an organization; one that maps to none is the caller's own. */
  readonly repositoryUrl: string | null;
}

/** What became of the wish for more credits. */
export type Covering =
  | { readonly kind: "added"; readonly credits: MicroCredits }
  /** `disabled`: nobody has switched it on. */
  | { readonly kind: "not_covered"; readonly reason: string };

/** What stands behind steps 2, 3 and 5 of the gate. Each may be missing: then that step has nothing to do. */
export interface GatePorts {
  readonly organizations?:
    | {
        /** Whose credits pay. Throws when it cannot be known. */
        payerFor(question: PayerQuestion): Promise<Payer>;
      }
    | undefined;
  readonly quota?:
    | {
        /** Issues what is due for a new cycle, once. Next to free while nothing is due. */
        resetIfDue(accountId: AccountId): Promise<void>;
        /** The account's present cycle; null: it has none. */
        cycleOf(
          accountId: AccountId,
        ): Promise<{ readonly startedAt: Instant; readonly nextResetAt: Instant } | null>;
      }
    | undefined;
  readonly topUp?:
    | {
        /** Buys credits for work that needs so many in all, if the account's policy allows it, and waits for them, for a
         *  bounded time. What is there already counts: only what is missing is bought. */
        cover(accountId: AccountId, needed: MicroCredits): Promise<Covering>;
        /** Whether the account's policy is on, whatever it could buy right now. */
        isOn(accountId: AccountId): Promise<boolean>;
      }
    | undefined;
}
