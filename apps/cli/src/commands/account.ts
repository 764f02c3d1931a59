import { text } from "node:stream/consumers";
import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { Failure, usageFailure } from "../failure.ts";
import { amount, counted, creditsText, isZero } from "../output/amount.ts";
import { printable } from "../output/printable.ts";
import { facts } from "../output/table.ts";
import { both } from "../output/time.ts";
import { examples } from "../program.ts";
import { question } from "../question.ts";
import { openSignIns } from "../sign-in/store.ts";

type Preview = Awaited<ReturnType<Client["previewDeletion"]>>;
type Deleted = Awaited<ReturnType<Client["deletePerson"]>>;

export function account(command: Command, context: Context): void {
  command.addHelpText("after", examples("bursar account delete --preview", "bursar account delete"));
  remove(command.command("delete"), context);
}

interface Options {
  readonly preview?: boolean;
  readonly yes?: boolean;
  readonly passwordStdin?: boolean;
  readonly totp?: string;
}

function remove(command: Command, context: Context): void {
  command
    .description("delete yourself for good: what is lost is shown first, and asked back")
    .option("--preview", "only show what is lost, what ends and what stands in the way")
    .option("--yes", "do not ask: for scripts")
    .option("--password-stdin", "read your password from the standard input")
    .option("--totp <code>", "six digits of your authenticator, where you have one")
    .addHelpText(
      "after",
      examples(
        "bursar export > bursar.json",
        "bursar account delete --preview",
        "bursar account delete",
        "bursar account delete --yes --password-stdin --totp 123456 < password.txt",
      ),
    )
    .action((options: Options) => perform(context, options));
}

async function perform(context: Context, options: Options): Promise<void> {
  const { client } = await context.connect("person");
  const shown = await client.previewDeletion();
  if (options.preview === true) {
    context.print(shown, (look) => previewText(shown, look));
    return;
  }
  const [stopped] = shown.stoppedBy;
  if (stopped !== undefined) throw new Failure("refused", stopped.code, stopped.message);
  const proof = await confirmed(context, shown, options);
  if (proof === null) return;
  // Whoever was asked may have taken longer than a token is good for.
  const { client: now } = await context.connect("person");
  const deleted = await now.deletePerson({ confirm: shown.loses, ...proof });
  forgetSignIn(context, deleted);
  context.print(deleted, () => deletedText(deleted, shown));
}

interface Proof {
  readonly password?: string;
  readonly totpCode?: string;
}

/** null: they would rather not. Where nobody can be asked, options must say it all. */
async function confirmed(context: Context, shown: Preview, options: Options): Promise<Proof | null> {
  const { yes, totp, passwordStdin } = options;
  const isAsked = yes !== true;
  const canAsk = !context.isJson() && process.stdin.isTTY;
  if (isAsked && !canAsk)
    throw usageFailure(`${creditsText(shown.loses)} would be lost, for good: give --yes to be deleted.`, SEE);
  const password = passwordStdin === true ? (await text(process.stdin)).replace(/\r?\n$/, "") : undefined;
  if (shown.proof.password && password === undefined && !canAsk)
    throw usageFailure("Your password is needed: give --password-stdin, and write it there.");
  if (isAsked) {
    process.stderr.write(`${previewText(shown, context.look(process.stderr))}\n\n${EXPORT_FIRST}\n\n`);
    const name = nameOf(shown);
    if ((await question(`Type ${name} to be deleted for good: `)) !== name) {
      process.stderr.write("Nothing is deleted.\n");
      return null;
    }
  }
  const typed = shown.proof.password ? (password ?? (await question("Password: ", true))) : undefined;
  const code = shown.proof.totpCode && canAsk ? (totp ?? (await question("Code: "))) : totp;
  return {
    ...(typed === undefined ? {} : { password: typed }),
    ...(code === undefined ? {} : { totpCode: code }),
  };
}

const SEE = "What else that means: bursar account delete --preview";
const EXPORT_FIRST = "Save what is kept about you first, if you want it: bursar export > bursar.json";

const nameOf = ({ username, email }: Preview) => username ?? email;

export function previewText(shown: Preview, look: Look): string {
  const { paint, nowMilliseconds } = look;
  const { subscription, holds, runs, organizations } = shown;
  const work = [holds === 0 ? "" : counted(holds, "hold"), runs === 0 ? "" : counted(runs, "run")];
  const isAtWork = holds + runs > 0;
  const lines = facts(paint, [
    ["You are", `${paint.bold(printable(nameOf(shown)))}, account ${shown.accountId}`],
    ["Lost", lostText(shown)],
    ...shown.returnable.map(({ paymentId, credits, until }) => {
      const how = `bursar payments return ${paymentId}`;
      return [
        "Return for money",
        `${creditsText(credits)} until ${both(until, nowMilliseconds)}: ${how}`,
      ] as const;
    }),
    ["Owed", isZero(shown.owed) ? null : `${creditsText(shown.owed)}, which stay in the books`],
    ["Plan", subscription === null ? null : planText(subscription, nowMilliseconds)],
    ["Auto top-up", shown.topUp ? "is switched off" : null],
    ["Under way", isAtWork ? `${work.filter(Boolean).join(", ")}: finished and charged` : null],
    ...organizations.map(({ id, name }) => ["You leave", `${printable(name)} (${id})`] as const),
  ]);
  const stopping = shown.stoppedBy.map(({ message }) => paint.yellow(`Refused: ${printable(message)}`));
  return [lines, ...stopping].join("\n");
}

function lostText({ loses, held }: Preview): string {
  return isZero(held) ? creditsText(loses) : `${creditsText(loses)}, ${amount(held)} of them held`;
}

function planText({ name, endsAt }: NonNullable<Preview["subscription"]>, nowMilliseconds: number): string {
  return endsAt === null ? `${name} ends at once` : `${name} ends ${both(endsAt, nowMilliseconds)}`;
}

function deletedText({ accountId, state }: Deleted, shown: Preview): string {
  const mail = `A mail to ${shown.email} says so`;
  return state === "deleted"
    ? `You are deleted. ${mail}; the books stay under ${accountId}.`
    : `You are signed out everywhere, and being deleted: it waits for the payment provider. ${mail} when it is done.`;
}

/** What this machine has to sign in with is good for nothing any more. */
function forgetSignIn(context: Context, { accountId }: Deleted): void {
  const signIns = openSignIns(context.environment);
  const url = new URL(context.lastChosen()!.url.value).origin;
  if (signIns.all().some((each) => each.url === url && each.accountId === accountId)) signIns.forget(url);
}
