export interface ModelCard {
  id: string;
  kind: "chat" | "embedding";
  contextTokens: number;
  maximumOutputTokens: number;
  /** Remembers long prompts and reports their known beginning as cached. */
  cachesPrompts: boolean;
  /** Billed before the answer and never shown, as with models that think first. */
  reasoningTokens: number;
  /** Answers come from the script that was registered, not from the question. */
  scripted: boolean;
  /** Carries out plain orders with the tools that it is given. */
  followsOrders: boolean;
  /** Paragraphs in an answer, so that models differ in what they cost. */
  paragraphs: number;
}

const plain = {
  kind: "chat",
  contextTokens: 128_000,
  maximumOutputTokens: 32_768,
  cachesPrompts: false,
  reasoningTokens: 0,
  scripted: false,
  followsOrders: false,
  paragraphs: 1,
} as const;

/** Every model the sandbox serves. The price book of sandbox mode prices exactly these names. */
export const modelCards: readonly ModelCard[] = [
  { ...plain, id: "sandbox-small" },
  { ...plain, id: "sandbox-large", cachesPrompts: true, paragraphs: 2 },
  { ...plain, id: "sandbox-reasoning", reasoningTokens: 64 },
  { ...plain, id: "sandbox-scripted", cachesPrompts: true, scripted: true },
  { ...plain, id: "sandbox-coder", followsOrders: true },
  // The models that clients of the credit-check API name.
  { ...plain, id: "amazon.nova-micro-v1:0" },
  { ...plain, id: "amazon.nova-lite-v1:0" },
  { ...plain, id: "amazon.titan-text-express-v1" },
  { ...plain, id: "meta.llama3-70b-instruct-v1:0" },
  { ...plain, id: "sandbox-embedding", kind: "embedding", contextTokens: 8192, maximumOutputTokens: 0 },
];

const cardsById = new Map(modelCards.map((card) => [card.id, card]));

export function findModel(id: string): ModelCard | undefined {
  return cardsById.get(id);
}

/** The body of `GET /v1/models/:id`; a fixed date, since the sandbox is the same every day. */
export function describeModel(card: ModelCard) {
  return { id: card.id, object: "model", created: 1_767_225_600, owned_by: "bursar-sandbox" };
}
