import type { PriceBookInput } from "@bursar/contract/operations/prices";
import { credits, iso } from "@bursar/contract/shapes";
import { ratesFor, withMargin } from "@bursar/engine/price/decide";
import type { PriceBookVersion } from "@bursar/engine/price/store";
import type { Handler, Success } from "./context.ts";

export const listModels: Handler<"listModels"> = async ({ deps }) => {
  const book = await deps.prices.current();
  const data = Object.keys(book.body.models).map((model) => {
    const rates = ratesFor(book, model)!;
    return {
      id: model,
      object: "model" as const,
      created: 0,
      owned_by: "bursar",
      inputPerMillion: credits(withMargin(rates.input, rates.marginBasisPoints)),
      cachedInputPerMillion: credits(withMargin(rates.cachedInput, rates.marginBasisPoints)),
      outputPerMillion: credits(withMargin(rates.output, rates.marginBasisPoints)),
      contextTokens: rates.contextTokens,
      maxOutputTokens: rates.maxOutputTokens,
    };
  });
  return { answer: { object: "list", priceVersion: book.version, data } };
};

export const getPriceBook: Handler<"getPriceBook"> = async ({ deps, query }) => {
  const at = query.at ?? deps.clock.now();
  const [current, ...upcoming] = await deps.prices.versions(at);
  if (current === undefined || current.validFrom > at) {
    return { problem: "not_found", message: "No price book was in force then", param: "at" };
  }
  return { answer: { current: versionAnswer(current), upcoming: upcoming.map(versionAnswer) } };
};

export const putPriceBook: Handler<"putPriceBook"> = async ({ deps, body, rawBody, principal }) => {
  const { validFrom, version } = body;
  if (validFrom !== undefined && validFrom < deps.clock.now()) {
    return { problem: "invalid_request", message: "must not be in the past", param: "validFrom" };
  }
  // Kept as it was put: amounts as the strings that people wrote.
  const book = (rawBody as { book: PriceBookInput }).book;
  const outcome = await deps.prices.put({
    body: book,
    by: principal.by,
    ...(validFrom === undefined ? {} : { validFrom }),
    ...(version === undefined ? {} : { version }),
  });
  if (outcome.kind === "put") return { answer: versionAnswer(outcome.version) };
  const message = `The newest version is ${outcome.latest} already`;
  return { problem: "price_book_conflict", message, param: "version" };
};

function versionAnswer(version: PriceBookVersion): Success<"putPriceBook">["answer"] {
  return {
    version: version.version,
    validFrom: iso(version.validFrom)!,
    createdAt: iso(version.createdAt)!,
    book: version.source as Success<"putPriceBook">["answer"]["book"],
  };
}
