import type { Stripe } from "stripe";
import { z } from "zod";
import { changedFrom } from "../customer/customer.ts";
import { emit } from "../event/emit.ts";
import { withMetadata } from "../metadata.ts";
import { invalid } from "../refusal.ts";
import { listOf, matching } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { flag, listing, metadata, range, text } from "../wire/shapes.ts";
import type { World } from "../world.ts";
import { closeDispute, disputeOf, isClosed } from "./dispute.ts";
import { evidence } from "./evidence.ts";

const answering = z.strictObject({
  evidence: evidence.optional(),
  metadata: metadata.optional(),
  submit: flag.optional(),
});

/** As in Stripe's test mode, these words decide. */
const DECISIVE: Readonly<Record<string, "lost" | "won">> = {
  winning_evidence: "won",
  losing_evidence: "lost",
};

function answer(world: World, dispute: Stripe.Dispute, params: z.output<typeof answering>): void {
  if (isClosed(dispute)) throw invalid("This dispute is already closed", "dispute");
  const isAppeal = dispute.status.startsWith("appeal_");
  if (isAppeal && params.evidence !== undefined)
    throw invalid("An appeal takes no other evidence", "evidence");
  const before = structuredClone(dispute);
  const given = Object.entries(params.evidence ?? {}).filter(([, value]) => value !== undefined);
  Object.assign(dispute.evidence, Object.fromEntries(given));
  dispute.metadata = withMetadata(dispute.metadata, params.metadata);
  if (given.length > 0) dispute.evidence_details.has_evidence = true;
  if (params.evidence !== undefined && params.submit !== false) submit(world, dispute);
  emit(world, "charge.dispute.updated", dispute, changedFrom(before, dispute));
}

function submit(world: World, dispute: Stripe.Dispute): void {
  dispute.evidence_details.submission_count++;
  dispute.status = dispute.status.startsWith("warning_") ? "warning_under_review" : "under_review";
  const outcome = DECISIVE[dispute.evidence.uncategorized_text ?? ""];
  if (outcome !== undefined) world.state.decidedDisputes.set(dispute.id, outcome);
}

export const disputeRoutes = [
  route("GET", "/v1/disputes/:id", nothing, (world, { id }) => disputeOf(world, id)),
  route("POST", "/v1/disputes/:id", answering, (world, { id, params }) => {
    const dispute = disputeOf(world, id);
    answer(world, dispute, params);
    return dispute;
  }),
  route("POST", "/v1/disputes/:id/close", nothing, (world, { id }) => {
    const dispute = disputeOf(world, id);
    closeDispute(world, dispute, "lost");
    return dispute;
  }),
  route(
    "GET",
    "/v1/disputes",
    z.strictObject({
      ...listing,
      charge: text.optional(),
      payment_intent: text.optional(),
      created: range.optional(),
    }),
    ({ state }, { params, path }) =>
      listOf(matching(state.disputes.values(), params, ["charge", "payment_intent"]), params, path),
  ),
];
