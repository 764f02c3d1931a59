/** The inside of Stripe's `{"error": …}`. */
export interface RefusalBody {
  readonly type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";
  readonly message: string;
  readonly code?: string;
  readonly param?: string;
  readonly decline_code?: string;
  readonly advice_code?: string;
  readonly charge?: string;
  readonly payment_intent?: object;
  readonly payment_method?: object;
  readonly setup_intent?: object;
}

/** What Stripe answers instead of an object. Thrown, because it may be found at any depth and only the door answers. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: RefusalBody;
  constructor(status: number, body: RefusalBody) {
    super(body.message);
    this.status = status;
    this.body = body;
  }
}

/** 400, with the parameter that is to blame. */
export function invalid(message: string, param?: string, code?: string): Refusal {
  const known = { ...(param !== undefined && { param }), ...(code !== undefined && { code }) };
  return new Refusal(400, { type: "invalid_request_error", message, ...known });
}

/** Nothing has this id. 404 where the path names it, 400 where a parameter does. */
export function missing(what: string, id: string, param: string): Refusal {
  const message = `No such ${what}: '${id}'`;
  const body = { type: "invalid_request_error", message, param, code: "resource_missing" } as const;
  return new Refusal(param === "id" ? 404 : 400, body);
}
