import { customerOf } from "../customer/customer.ts";
import { invalid } from "../refusal.ts";
import { isWithin, listOf } from "../wire/list.ts";
import { nothing, route } from "../wire/route.ts";
import { secondsOf } from "../world.ts";
import { addPending, changeSubscription, takePending } from "./change.ts";
import { collect } from "./collect.ts";
import { cancelNow } from "./end.ts";
import { draftInvoice, finalizeInvoice } from "./invoice.ts";
import { unusedOf } from "./lines.ts";
import { canceling, creating, findingSubscriptions, updating } from "./params.ts";
import { startSubscription } from "./start.ts";
import { periodOf, subscriptionOf } from "./subscription.ts";

const ENDED: ReadonlySet<string> = new Set(["canceled", "incomplete_expired"]);

export const subscriptionRoutes = [
  route("POST", "/v1/subscriptions", creating, (world, { params }) => startSubscription(world, params)),
  route("GET", "/v1/subscriptions/:id", nothing, (world, { id }) => subscriptionOf(world, id, "id")),
  route("POST", "/v1/subscriptions/:id", updating, (world, { id, params }) => {
    const subscription = subscriptionOf(world, id, "id");
    changeSubscription(world, subscription, params);
    return subscription;
  }),
  route("DELETE", "/v1/subscriptions/:id", canceling, (world, { id, params }) => {
    const subscription = subscriptionOf(world, id, "id");
    if (ENDED.has(subscription.status))
      throw invalid(`No such active subscription: ${id}`, "id", "resource_missing");
    if (params.prorate === true) addPending(world, id, unusedOf(world, subscription, secondsOf(world)));
    Object.assign(subscription.cancellation_details!, params.cancellation_details);
    cancelNow(world, subscription, "cancellation_requested");
    const lines = params.invoice_now === true ? takePending(world, id) : [];
    if (lines.length > 0) {
      const invoice = draftInvoice(world, subscription, lines, "subscription_update", periodOf(subscription));
      finalizeInvoice(world, invoice);
      collect(world, invoice, { isOffSession: true });
    }
    return subscription;
  }),
  route("GET", "/v1/subscriptions", findingSubscriptions, (world, { params, path }) => {
    if (params.customer !== undefined) customerOf(world, params.customer);
    const found = [...world.state.subscriptions.values()].filter((subscription) => {
      const { status, items, created } = subscription;
      const isTheirs = (params.customer ?? subscription.customer) === subscription.customer;
      const isPriced =
        params.price === undefined || items.data.some(({ price }) => price.id === params.price);
      return isTheirs && isPriced && hasStatus(status, params.status) && isWithin(created, params.created);
    });
    return listOf(found, params, path);
  }),
];

/** Ended ones are shown only when they are asked for. */
function hasStatus(status: string, wanted: string | undefined): boolean {
  if (wanted === "all") return true;
  if (wanted === "ended") return ENDED.has(status);
  return wanted === undefined ? status !== "canceled" : status === wanted;
}
