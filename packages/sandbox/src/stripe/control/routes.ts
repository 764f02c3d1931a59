import { z } from "zod";
import { type Faults, faultShape } from "../fault/faults.ts";
import { invalid } from "../refusal.ts";
import type { Actions } from "./actions.ts";

interface Control {
  readonly actions: Actions;
  readonly faults: Faults;
  readonly tick: () => Promise<number>;
}

interface ControlRoute {
  readonly method: string;
  readonly path: RegExp;
  readonly answer: (control: Control, id: string, body: unknown) => Promise<object> | object;
}

const card = z.strictObject({
  behavesAs: z.string().optional(),
  expires: z.strictObject({ month: z.int().min(1).max(12), year: z.int().min(2000) }).optional(),
});
const payer = z.strictObject({ method: z.string().default("pm_card_visa"), email: z.string().optional() });
const holder = z.strictObject({ answer: z.enum(["approve", "deny"]) });
const opening = z.strictObject({
  charge: z.string(),
  reason: z.enum(["fraudulent", "inquiry", "product_not_received"]).optional(),
});
const deciding = z.strictObject({ outcome: z.enum(["lost", "won"]) });
const endpoint = z.strictObject({ url: z.url(), events: z.array(z.string()).min(1).optional() });

const ROUTES: readonly ControlRoute[] = [
  on("GET", "faults", ({ faults }) => ({ faults: faults.list() })),
  on("POST", "faults", ({ faults }, _, body) => faults.add(parse(faultShape, body))),
  on("DELETE", "faults", ({ faults }) => {
    faults.clear();
    return { faults: [] };
  }),
  on("POST", "tick", async ({ tick }) => ({ done: await tick() })),
  on("GET", "deliveries", ({ actions }) => ({ deliveries: actions.deliveries() })),
  on("POST", "endpoints", ({ actions }, _, body) => {
    const { url, events } = parse(endpoint, body);
    return actions.register(url, events);
  }),
  on("POST", "events/:id/resend", ({ actions }, id) => {
    actions.resend(id);
    return { id };
  }),
  on("POST", "cards/:id", ({ actions }, id, body) => {
    actions.changeCard(id, parse(card, body));
    return { id };
  }),
  on("DELETE", "customers/:id", ({ actions }, id) => {
    actions.deleteCustomer(id);
    return { id, deleted: true };
  }),
  on("POST", "disputes", ({ actions }, _, body) => {
    const { charge, reason } = parse(opening, body);
    return actions.openDispute(charge, reason);
  }),
  on("POST", "disputes/:id", ({ actions }, id, body) =>
    actions.closeDispute(id, parse(deciding, body).outcome),
  ),
  on("POST", "disputes/:id/appeal", ({ actions }, id) => actions.appealDispute(id)),
  on("POST", "authenticate/:id", ({ actions }, id, body) => {
    actions.authenticate(id, parse(holder, body).answer);
    return { id };
  }),
  on("POST", "invoices/:id", ({ actions }, id, body) => actions.payInvoice(id, parse(payer, body).method)),
  on("POST", "checkout/:id", ({ actions }, id, body) => actions.payCheckout(id, parse(payer, body))),
];

function on(method: string, path: string, answer: ControlRoute["answer"]): ControlRoute {
  const pattern = path.replace(":id", "([^/]+)");
  return { method, path: new RegExp(`^/sandbox/${pattern}$`), answer };
}

/** Answers a tool that speaks JSON. null for a path that is none of its. Throws a refusal: bad input. */
export async function answerControl(
  control: Control,
  method: string,
  path: string,
  text: string,
): Promise<object | null> {
  for (const route of ROUTES) {
    const match = route.method === method ? route.path.exec(path) : null;
    if (match !== null) return route.answer(control, match[1] ?? "", text === "" ? {} : json(text));
  }
  return null;
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw invalid("The body must be JSON.");
  }
}

function parse<Shape extends z.ZodType>(shape: Shape, body: unknown): z.output<Shape> {
  const parsed = shape.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw invalid(`${issue!.path.join(".")}: ${issue!.message}`, issue!.path.join("."));
}
