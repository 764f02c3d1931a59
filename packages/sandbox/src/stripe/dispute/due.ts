import { chargeOf } from "../charge/charge.ts";
import { secondsOf, type World } from "../world.ts";
import { closeDispute, type DisputeReason, disputeOf, isClosed, openDispute } from "./dispute.ts";

/** Opens what holders of cards dispute, decides what has evidence, and gives up what nobody answered in time. Returns how much that
 *  was. */
export function settleDisputes(world: World): number {
  return openExpected(world) + decide(world) + giveUp(world);
}

function openExpected(world: World): number {
  const expected = [...world.state.expectedDisputes];
  world.state.expectedDisputes.clear();
  for (const [chargeId, reason] of expected) {
    const charge = chargeOf(world, chargeId);
    // What was given back meanwhile is nothing to quarrel about.
    if (!charge.refunded && !charge.disputed) openDispute(world, charge, reason as DisputeReason);
  }
  return expected.length;
}

function decide(world: World): number {
  const decided = [...world.state.decidedDisputes];
  world.state.decidedDisputes.clear();
  const open = decided.filter(([id]) => !isClosed(disputeOf(world, id)));
  for (const [id, outcome] of open) closeDispute(world, disputeOf(world, id), outcome);
  return open.length;
}

function giveUp(world: World): number {
  const now = secondsOf(world);
  const due = [...world.state.disputes.values()].filter(({ status, evidence_details: details }) => {
    return status.endsWith("needs_response") && details.due_by !== null && details.due_by <= now;
  });
  for (const dispute of due) {
    dispute.evidence_details.past_due = true;
    // An inquiry that nobody answers comes to nothing.
    closeDispute(world, dispute, dispute.status === "warning_needs_response" ? "won" : "lost");
  }
  return due.length;
}
