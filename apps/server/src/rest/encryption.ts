import type { Handler } from "./context.ts";

export const rotateKeys: Handler<"rotateKeys"> = async ({ deps, principal }) => {
  const rotation = await deps.secrets.rotate();
  const { damaged, missing, ...counts } = rotation;
  deps.log.info({ by: principal.by, ...counts, damaged: damaged.length }, "master keys rotated");
  return { answer: { ...counts, damaged: [...damaged], missing: [...missing] } };
};
