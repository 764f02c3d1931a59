import type { ReferralTerms } from "@bursar/engine/referral/reward";
import type { Identity } from "@bursar/identity/identity";
import { personIdOf } from "@bursar/identity/people/naming";

/** When a referral is rewarded, with what only people's records tell: whether a mailbox was proved. */
export function referralTerms(
  identity: Pick<Identity, "people">,
  condition: ReferralTerms["condition"],
): ReferralTerms {
  return {
    condition,
    hasVerifiedMail: async (accountId) => {
      const personId = personIdOf(accountId);
      const person = personId === null ? null : await identity.people.find(personId);
      return person?.emailVerified === true;
    },
  };
}
