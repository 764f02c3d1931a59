import type { Client } from "@bursar/client";
import type { Command } from "commander";
import type { Context, Look } from "../context.ts";
import { counted } from "../output/amount.ts";
import { examples } from "../program.ts";

type Rotation = Awaited<ReturnType<Client["rotateKeys"]>>;

export function rotateKeys(command: Command, context: Context): void {
  command
    .description("wrap the keys of encrypted fields under the newest master key; safe to stop and repeat")
    .addHelpText("after", examples("bursar keys rotate"))
    .action(async () => {
      const { client } = await context.connect("admin");
      const rotation = await rotateAll(client);
      context.print(rotation, (look) => rotationText(rotation, look));
      const { damaged, missing, unreadable } = rotation;
      if (damaged.length + missing.length + unreadable.length > 0) context.conclude("refused");
    });
}

/** Until nothing is left, or nothing moves any more because somebody else is at it. */
async function rotateAll(client: Client): Promise<Rotation> {
  let [rewrapped, renewed] = [0, 0];
  for (;;) {
    const rotation = await client.rotateKeys();
    rewrapped += rotation.rewrapped;
    renewed += rotation.renewed;
    const isThrough = rotation.remaining === 0 || rotation.rewrapped === 0;
    if (isThrough && rotation.renewed === 0) return { ...rotation, rewrapped, renewed };
  }
}

export function rotationText(
  { masterKeyId, rewrapped, remaining, damaged, missing, renewed, unreadable }: Rotation,
  { paint }: Look,
): string {
  const left = remaining === 0 ? "no other is in use" : `${counted(remaining, "key")} left: repeat`;
  const lines = [
    `${counted(rewrapped, "key")} rewrapped under the master key ${paint.bold(masterKeyId)}; ${left}.`,
    ...(renewed === 0 ? [] : [`${counted(renewed, "second factor")} of an older version sealed under it.`]),
    ...missing.map(({ masterKeyId: id, dataKeys }) =>
      paint.red(
        `The master key ${id} is not set, and ${counted(dataKeys, "key")} cannot be read without it.`,
      ),
    ),
    ...unreadable.map((userId) =>
      paint.red(`The second factor of ${userId} was made under another BURSAR_SECRET; it stays as it is.`),
    ),
    ...damaged.map((accountId) => paint.red(`The key of ${accountId} is damaged; it was left as it is.`)),
  ];
  return lines.join("\n");
}
