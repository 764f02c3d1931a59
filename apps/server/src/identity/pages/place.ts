import type { Form } from "./ask.ts";
import { type Html, html } from "./page.ts";

/** A page that needs somebody: the steps of signing in are below its path, and lead back to it. */
export interface Place {
  /** Such as `/device`. */
  readonly path: string;
  /** What is in its address and must be there again afterwards; null: nothing. */
  readonly keeps: string | null;
  /** What one signs in for. */
  readonly why: string;
}

/** One step on the way to a page. */
export interface Step {
  readonly place: Place;
  readonly form: Form;
}

/** Back to the page, or to a step below it, with what its address had. */
export function addressOf({ path, keeps }: Place, form: Form, step = ""): string {
  const value = keeps === null ? "" : (form[keeps] ?? "");
  return value === "" ? `${path}${step}` : `${path}${step}?${keeps}=${encodeURIComponent(value)}`;
}

/** What a form of a step takes along. */
export function kept({ keeps }: Place, form: Form): Html {
  return keeps === null ? html`` : html`<input type="hidden" name="${keeps}" value="${form[keeps] ?? ""}">`;
}
