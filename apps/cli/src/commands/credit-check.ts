import type { Command } from "commander";
import type { Context } from "../context.ts";
import { type Line, openTestLog } from "../credit-check/log.ts";
import { STEPS, type State } from "../credit-check/steps.ts";
import { examples } from "../program.ts";

interface Options {
  readonly authUrl?: string;
  readonly accountingUrl?: string;
  readonly chatUrl?: string;
  readonly username: string;
  readonly password: string;
  readonly adminUsername: string;
  readonly adminPassword: string;
}

export function creditCheck(command: Command, context: Context): void {
  command
    .option("--auth-url <url>", "the authentication service; default: the server")
    .option("--accounting-url <url>", "the accounting service; default: the server")
    .option("--chat-url <url>", "the chat service; default: the server")
    .option("--username <name>", "who asks", "user1")
    .option("--password <password>", "with this password", "User1@123")
    .option("--admin-username <name>", "who allocates", "admin")
    .option("--admin-password <password>", "with this password", "admin@admin")
    .addHelpText(
      "after",
      `${examples(
        "bursar credit-check",
        "bursar credit-check --auth-url http://127.0.0.1:3000 --accounting-url http://127.0.0.1:3001 --chat-url http://127.0.0.1:3002",
      )}\n\nThe exit code is 0 when every test passed, and 1 when not. It allocates credits to the one who asks.`,
    )
    .action((options: Options) => run(context, options));
}

interface StepResult {
  readonly name: string;
  readonly passed: boolean;
  readonly messages: readonly Line[];
}

async function run(context: Context, options: Options): Promise<void> {
  const write = context.isJson() ? () => undefined : (line: string) => void process.stdout.write(`${line}\n`);
  const log = openTestLog(context.look().paint, write);
  const state = stateOf(context, options, log);
  const steps: StepResult[] = [];
  for (const { name, title, isVital, run: test } of STEPS) {
    log.header(title);
    const passed = await test(state);
    steps.push({ name, passed, messages: log.lines() });
    if (isVital && !passed) break;
  }
  const passed = steps.filter((step) => step.passed).length;
  const isPassed = passed === STEPS.length;
  if (context.isJson()) context.print({ passed: isPassed, steps }, () => "");
  else {
    log.header("TEST RESULTS");
    for (const step of steps)
      log.say(step.passed ? "SUCCESS" : "ERROR", `${step.name}: ${step.passed ? "passed" : "failed"}`);
    log.say("INFO", `${passed} of ${STEPS.length} tests passed`);
  }
  if (!isPassed) context.conclude("refused");
}

function stateOf(context: Context, options: Options, log: State["log"]): State {
  const { authUrl, accountingUrl, chatUrl, username, password, adminUsername, adminPassword } = options;
  const isNamed = authUrl !== undefined && accountingUrl !== undefined && chatUrl !== undefined;
  const server = isNamed ? "" : context.server();
  return {
    services: { auth: authUrl ?? server, accounting: accountingUrl ?? server, chat: chatUrl ?? server },
    user: { username, password },
    admin: { username: adminUsername, password: adminPassword },
    log,
  };
}
