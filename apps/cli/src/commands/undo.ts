import type { Undone } from "@bursar/client/agent/journal/journal";
import type { Command } from "commander";
import { printable } from "../agent/diff.ts";
import { journalOf } from "../agent/state.ts";
import type { Context } from "../context.ts";
import { Failure } from "../failure.ts";
import { examples } from "../program.ts";

const SAID: Record<Undone["kind"], string> = {
  restored: "restored",
  removed: "removed, for it was new",
  already: "was back already",
  changed: "left alone: somebody has changed it since (--force takes it back all the same)",
};

export function undo(command: Command, context: Context): void {
  command
    .option("--list", "show what would be taken back, and change nothing")
    .option("--force", "take back files, too, that were changed since")
    .addHelpText("after", examples("bursar undo", "bursar undo --list", "bursar undo --force"))
    .action(async ({ list = false, force = false }: { list?: boolean; force?: boolean }) => {
      const journal = journalOf(context.environment, context.folder);
      const last = await journal.last();
      if (last === null)
        throw new Failure("notFound", "not_found", "There is nothing to undo in this folder.", [
          "The last 20 runs of bursar agent in a folder can be taken back, from that folder.",
        ]);
      if (list) {
        const paths = [...new Set(last.entries.map(({ path }) => path))];
        return context.print({ run: last.runId, paths }, () => paths.map(printable).join("\n"));
      }
      const undone = await journal.undo(last.runId, force);
      if (undone.some(({ kind }) => kind === "changed")) context.conclude("refused");
      context.print({ run: last.runId, files: undone }, () =>
        undone.map(({ path, kind }) => `${printable(path)}: ${SAID[kind]}`).join("\n"),
      );
    });
}
