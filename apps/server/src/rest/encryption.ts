import type { Handler } from "./context.ts";

export const rotateKeys: Handler<"rotateKeys"> = async ({ deps, principal }) => {
  const { damaged, missing, ...counts } = await deps.secrets.rotate();
  const { renewed, unreadable } = await deps.identity.renewSecondFactors();
  const facts = { by: principal.by, ...counts, renewed, unreadable: unreadable.length };
  deps.log.info({ ...facts, damaged: damaged.length }, "master keys rotated");
  const lists = { damaged: [...damaged], missing: [...missing], unreadable: [...unreadable] };
  return { answer: { ...counts, renewed, ...lists } };
};
