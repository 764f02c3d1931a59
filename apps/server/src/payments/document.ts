import type { AccountId } from "@bursar/contract/ids";
import type { Party } from "@bursar/documents/party";
import type { Receipt } from "@bursar/documents/receipt";
import type { RestDeps } from "../rest/context.ts";
import type { Problem } from "../rest/problem.ts";

export interface DocumentSettings {
  /** null: nobody is named as the seller, so no documents are written. */
  readonly seller: Party | null;
  /** A font file instead of the one that is brought along. */
  readonly documentFont: string | null;
}

export type DocumentDeps = RestDeps & { readonly documents: DocumentSettings };

/** A document that is asked for: whose, which, and what stands on all of them. */
export interface Asked {
  readonly accountId: AccountId;
  readonly id: string;
  /** Of several refunds, the one that is named. */
  readonly refund: string | undefined;
  readonly parties: Pick<Receipt, "seller" | "buyer" | "fonts">;
}

export interface Made {
  readonly fileName: string;
  readonly pdf: Buffer;
}

export type Make = (deps: DocumentDeps, asked: Asked) => Promise<Made | Problem>;
