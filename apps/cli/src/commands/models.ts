import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { amount, count } from "../output/amount.ts";
import { table } from "../output/table.ts";
import { examples } from "../program.ts";

type Models = Awaited<ReturnType<Client["listModels"]>>;

export function models(command: Command, context: Context): void {
  command.addHelpText("after", examples("bursar models", "bursar models --json")).action(async () => {
    const { client, account } = await context.connect("account");
    const answer = await client.listModels(account);
    context.print(answer, (look) => modelsText(answer, look));
  });
}

export function modelsText({ data, priceVersion }: Models, { paint }: Look): string {
  const lines = table(
    paint,
    [
      { title: "MODEL", of: (model) => model.id },
      { title: "INPUT", align: "decimal", of: (model) => amount(model.inputPerMillion) },
      { title: "CACHED", align: "decimal", of: (model) => amount(model.cachedInputPerMillion) },
      { title: "OUTPUT", align: "decimal", of: (model) => amount(model.outputPerMillion) },
      { title: "CONTEXT", align: "decimal", of: (model) => tokens(model.contextTokens) },
      { title: "MAX OUTPUT", align: "decimal", of: (model) => tokens(model.maxOutputTokens) },
    ],
    data,
    "No model has a price.",
  );
  return `${lines}\n\nCredits per million tokens, margin included. Price version ${priceVersion}.`;
}

function tokens(limit: number | null): string {
  return limit === null ? "-" : count(limit);
}
