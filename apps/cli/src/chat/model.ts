import type { Client } from "@bursar/client";
import { parseCredits } from "@bursar/contract/money";
import { Failure } from "../failure.ts";

/** The cheapest model that writes: one whose output has a price, which embeddings have not. */
export async function chooseModel(client: Client, account: { accountId?: string }): Promise<string> {
  const { data } = await client.listModels(account);
  const price = ({ outputPerMillion }: (typeof data)[number]) => parseCredits(outputPerMillion) ?? 0n;
  const writers = data.filter((model) => price(model) > 0n);
  const [cheapest] = writers.sort((one, other) => (price(one) < price(other) ? -1 : 1));
  if (cheapest !== undefined) return cheapest.id;
  throw new Failure("notFound", "model_unknown", "No model has a price for output.", [
    "Name one with --model; bursar models lists those there are.",
  ]);
}
