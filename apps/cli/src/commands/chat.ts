import type { Command } from "commander";
import { answerTo, wasStopped } from "../chat/answer.ts";
import { converse } from "../chat/converse.ts";
import { readMessage } from "../chat/message.ts";
import { chooseModel } from "../chat/model.ts";
import type { Context } from "../context.ts";
import { usageFailure } from "../failure.ts";
import { examples } from "../program.ts";
import { wholeNumber } from "../values.ts";

interface ChatOptions {
  readonly model?: string;
  readonly system?: string;
  readonly maxOutputTokens?: number;
}

export function chat(command: Command, context: Context): void {
  command
    .argument("[message]", "what to say; without it a conversation begins, or stdin is read")
    .option("--model <name>", "default: the cheapest that writes")
    .option("--system <text>", "how the model should behave")
    .option("--max-output-tokens <count>", "the longest answer", wholeNumber)
    .addHelpText(
      "after",
      `${examples(
        'bursar chat "What is a bursar?"',
        "bursar chat --model sandbox-large",
        "git log -5 | bursar chat --json",
      )}\n\nThe answer goes to stdout, its cost to stderr. Leave a conversation with Ctrl-D.`,
    )
    .action(async (given: string | undefined, { model, system, maxOutputTokens }: ChatOptions) => {
      if (context.flags().account !== undefined) throw ownAccountOnly();
      const { client, account } = await context.connect("own");
      const isConversation = given === undefined && process.stdin.isTTY && !context.isJson();
      const message = isConversation ? "" : await readMessage(given, 'bursar chat "What is a bursar?"');
      const session = {
        client,
        account,
        model: model ?? (await chooseModel(client, account)),
        extra: maxOutputTokens === undefined ? {} : { max_completion_tokens: maxOutputTokens },
        history: system === undefined ? [] : [{ role: "system" as const, content: system }],
      };
      if (isConversation) await converse(session, context);
      else if (wasStopped(await answerTo(session, message, context))) context.conclude("refused");
    });
}

/** The models' API is OpenAI's, which knows no other account than the key's. */
function ownAccountOnly(): Error {
  return usageFailure(
    "chat spends from the account of its key, so it takes no --account.",
    "Give that account's key: --key <key>, or make one: bursar keys create --account <id>",
  );
}
