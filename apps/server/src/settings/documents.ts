import { existsSync } from "node:fs";
import type { Party } from "@bursar/documents/party";
import { z } from "zod";

const line = z.string().trim().min(1).max(120, "must be at most 120 characters");

/** What stands on receipts. */
export const documentVariables = {
  BURSAR_SELLER_NAME: line.optional(),
  BURSAR_SELLER_ADDRESS: z
    .string()
    .default("")
    .transform((text) => text.split("|").flatMap((part) => part.trim() || []))
    .pipe(z.array(line).max(6, "must be at most 6 lines, with | between them")),
  BURSAR_SELLER_TAX_ID: line.optional(),
  BURSAR_DOCUMENT_FONT: z
    .string()
    .regex(/\.(ttf|otf)$/i, "must be a .ttf or .otf file")
    .refine((path) => existsSync(path), "must be a file that is there")
    .optional(),
};

type DocumentVariables = z.output<z.ZodObject<typeof documentVariables>>;

export function checkSeller(data: DocumentVariables, context: z.RefinementCtx): void {
  const { BURSAR_SELLER_NAME: name, BURSAR_SELLER_ADDRESS: lines, BURSAR_SELLER_TAX_ID: taxId } = data;
  if (name !== undefined || (lines.length === 0 && taxId === undefined)) return;
  const message = "is required with the seller's address or tax id";
  context.addIssue({ code: "custom", path: ["BURSAR_SELLER_NAME"], message });
}

/** A sandbox has a placeholder, live mode none. */
export function sellerFrom(data: DocumentVariables, mode: "sandbox" | "live"): Party | null {
  const { BURSAR_SELLER_NAME: name, BURSAR_SELLER_ADDRESS: lines, BURSAR_SELLER_TAX_ID: taxId } = data;
  if (name !== undefined) return { name, lines, taxId };
  return mode === "sandbox" ? { name: "Bursar sandbox", lines: ["Not a real invoice"] } : null;
}
