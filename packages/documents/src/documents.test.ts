import { createRequire } from "node:module";
import type { Instant } from "@bursar/contract/instant";
import { extractText, getDocumentProxy } from "unpdf";
import { describe, expect, it, test } from "vitest";
import { moneyText } from "./money.ts";
import {
  type CreditNote,
  creditNotePdf,
  invoicePdf,
  type PeriodInvoice,
  type Receipt,
  receiptPdf,
} from "./receipt.ts";
import { tablePdf } from "./table.ts";

const RECEIPT: Receipt = {
  number: "R-2026-000042",
  issuedAt: 1_795_262_400_000_000 as Instant,
  seller: {
    name: "Beispiel & Söhne GmbH",
    lines: ["Größenstraße 1", "10115 Berlin", "Germany"],
    taxId: "DE123456789",
  },
  buyer: { name: "Zoë Łukasiewicz-Ångström", lines: ["zoe@example.com"] },
  currency: "EUR",
  lines: [
    { text: "10,000 credits", quantity: 1, amountMinorUnits: 1000n },
    { text: "Gift card, 500 credits", quantity: 2, amountMinorUnits: 234n },
  ],
  totalMinorUnits: 1234n,
  paidWith: "Visa •••• 4242",
  reference: "pi_3QAbCdEfGh",
};

async function read(file: Buffer): Promise<{ pages: string[]; title: unknown; created: unknown }> {
  expect(file.subarray(0, 5).toString()).toBe("%PDF-");
  const document = await getDocumentProxy(new Uint8Array(file));
  const { text } = await extractText(document, { mergePages: false });
  const { info } = await document.getMetadata();
  const facts = info as Record<string, unknown>;
  return { pages: text, title: facts["Title"], created: facts["CreationDate"] };
}

const textOf = async (file: Buffer) => (await read(file)).pages.join("\n").replace(/\s+/g, " ");

describe("a receipt", () => {
  it("says who sold what to whom, when, for how much and how it was paid", async () => {
    const { pages, title, created } = await read(await receiptPdf(RECEIPT));
    expect(pages).toHaveLength(1);
    expect(title).toBe("Receipt R-2026-000042");
    expect(created).toBe("D:20261121120000Z");
    const text = pages[0]!.replace(/\s+/g, " ");
    for (const part of [
      "Beispiel & Söhne GmbH",
      "Größenstraße 1",
      "Tax ID DE123456789",
      "Zoë Łukasiewicz-Ångström",
      "R-2026-000042",
      "2026-11-21",
      "10,000 credits 1 €10.00",
      "Gift card, 500 credits 2 €2.34",
      "Paid €12.34",
      "Visa •••• 4242",
      "pi_3QAbCdEfGh",
      "1 / 1",
    ])
      expect(text).toContain(part);
  });

  it("is the same bytes whenever it is made, and others when anything in it differs", async () => {
    const [one, again] = [await receiptPdf(RECEIPT), await receiptPdf({ ...RECEIPT })];
    expect(one.equals(again)).toBe(true);
    expect(one.equals(await receiptPdf({ ...RECEIPT, paidWith: "Visa •••• 4243" }))).toBe(false);
    expect(one.length).toBeLessThan(100_000);
  });

  it("in yen has no decimals", async () => {
    const lines = [{ text: "10,000 credits", quantity: 1, amountMinorUnits: 2000n }];
    const text = await textOf(
      await receiptPdf({ ...RECEIPT, currency: "JPY", lines, totalMinorUnits: 2000n }),
    );
    expect(text).toContain("Paid ¥2,000");
    expect(text).not.toContain("2,000.");
  });

  it("shows taxes on top of the lines, or as a part of them", async () => {
    const onTop = { label: "VAT 19 %", amountMinorUnits: 234n, isIncluded: false };
    const added = await receiptPdf({ ...RECEIPT, taxes: [onTop], totalMinorUnits: 1468n });
    expect(await textOf(added)).toContain("Subtotal €12.34 VAT 19 % €2.34 Paid €14.68");
    const within = { label: "VAT 19 %", amountMinorUnits: 197n, isIncluded: true };
    const including = await receiptPdf({ ...RECEIPT, taxes: [within] });
    expect(await textOf(including)).toContain("Paid €12.34 including VAT 19 % €1.97");
  });

  it("that does not add up is not written", async () => {
    await expect(receiptPdf({ ...RECEIPT, totalMinorUnits: 1235n })).rejects.toThrow(
      "totalMinorUnits: must be 1234",
    );
  });

  it("takes any name: unknown scripts, emoji, control characters, endless words", async () => {
    const names = ["山田太郎", "😀🏳️‍🌈", "שלום \u202Eabc", "a\u0000b\u0007c", "\uD800", "x".repeat(3000), ""];
    for (const name of names) {
      const text = await textOf(await receiptPdf({ ...RECEIPT, buyer: { name, lines: [name] } }));
      expect(text).toContain("Paid €12.34");
      expect(text).toContain("1 / 1");
    }
    const odd = await receiptPdf({ ...RECEIPT, buyer: { name: "a\u0000b\u202Ec", lines: [] } });
    expect(await textOf(odd)).toContain("abc");
  });

  it("can be written in another font, and one that is not there is named", async () => {
    const serif = createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSerif.ttf");
    const file = await receiptPdf({ ...RECEIPT, fonts: { regular: serif, bold: serif } });
    expect(await textOf(file)).toContain("Paid €12.34");
    expect(file.equals(await receiptPdf(RECEIPT))).toBe(false);
    const gone = { regular: "/nowhere/font.ttf", bold: serif };
    await expect(receiptPdf({ ...RECEIPT, fonts: gone })).rejects.toThrow("/nowhere/font.ttf");
  });

  it("goes on over as many pages as it needs, with its titles and numbers on each", async () => {
    const lines = Array.from({ length: 120 }, (_, index) => ({
      text: `Line ${index + 1}. ${"Some words that wrap in their column. ".repeat(3)}`,
      quantity: 1,
      amountMinorUnits: 1n,
    }));
    const notes = ["Small print at the very end."];
    const { pages } = await read(await receiptPdf({ ...RECEIPT, lines, totalMinorUnits: 120n, notes }));
    expect(pages.length).toBeGreaterThan(4);
    pages.forEach((text, index) => {
      expect(text).toContain(`${index + 1} / ${pages.length}`);
      expect(text).toContain("Beispiel & Söhne");
    });
    for (const text of pages.slice(0, -1)) expect(text).toContain("Description");
    const all = pages.join("\n");
    for (let index = 1; index <= 120; index++) expect(all.split(`Line ${index}. `)).toHaveLength(2);
    expect(pages.at(-1)).toContain("Paid");
    expect(pages.at(-1)).toContain("Small print");
  });
});

test("a credit note names the receipt it is for, and why", async () => {
  const note: CreditNote = {
    ...RECEIPT,
    number: "C-2026-000003",
    of: { kind: "receipt" as const, number: RECEIPT.number },
    reason: "Unused credits",
  };
  const text = await textOf(await creditNotePdf(note));
  for (const part of [
    "Credit note",
    "Number C-2026-000003",
    "For receipt R-2026-000042",
    "Reason Unused credits",
    "Refunded €12.34",
  ])
    expect(text).toContain(part);
});

test("a table shows every row once, on as many pages as it needs", async () => {
  const rows = Array.from({ length: 200 }, (_, index) => [
    `2026-01-${index}`,
    `model-${index}.`,
    `${index}.5`,
  ]);
  const file = await tablePdf({
    title: "Usage in January 2026",
    subtitle: "acct_demo",
    author: "Bursar",
    at: RECEIPT.issuedAt,
    columns: [
      { title: "Day", share: 2 },
      { title: "Model", share: 3 },
      { title: "Credits", share: 1, align: "right" },
    ],
    rows,
  });
  const { pages } = await read(file);
  expect(pages.length).toBeGreaterThan(2);
  for (const text of pages) expect(text).toContain("Model");
  const all = pages.join("\n");
  for (let index = 0; index < 200; index++) expect(all.split(`model-${index}.`)).toHaveLength(2);
});

test.each([
  [0n, "EUR", "€0.00"],
  [5n, "USD", "$0.05"],
  [-123_456n, "EUR", "-€1,234.56"],
  [9_007_199_254_740_993n, "JPY", "¥9,007,199,254,740,993"],
  [9_007_199_254_740_993n, "EUR", "€90,071,992,547,409.93"],
])("%s minor units of %s are %s", (minorUnits, currency, text) => {
  expect(moneyText(minorUnits, currency)).toBe(text);
});

describe("an invoice", () => {
  const INVOICE: PeriodInvoice = {
    ...RECEIPT,
    number: "B-7",
    lines: [
      { text: "Unused time on Orbit", quantity: 1, amountMinorUnits: -500n },
      { text: "Remaining time on Galaxy", quantity: 1, amountMinorUnits: 1500n },
    ],
    taxes: [
      { label: "VAT 19 %", amountMinorUnits: 190n, isIncluded: false },
      { label: "a levy", amountMinorUnits: 7n, isIncluded: true },
    ],
    totalMinorUnits: 1190n,
    periodStart: 1_795_262_400_000_000 as Instant,
    periodEnd: 1_797_854_400_000_000 as Instant,
    given: "206.25",
  };

  it("shows what is given back, its period, taxes and credits; unpaid, what is due", async () => {
    const text = (await read(await invoicePdf(INVOICE))).pages.join("\n");
    for (const part of [
      "Invoice",
      "B-7",
      "2026-11-21 to 2026-12-21",
      "-€5.00",
      "VAT 19 % €1.90",
      "a levy",
      "206.25",
    ])
      expect(text).toContain(part);
    expect(text).toMatch(/Subtotal €10\.00[^]*Due €11\.90/);
    expect(text).toContain("not paid");
  });

  it("paid, says when; and one that does not add up is not written", async () => {
    const paid = await read(await invoicePdf({ ...INVOICE, paidAt: INVOICE.periodStart }));
    expect(paid.pages.join("\n")).toMatch(/Paid on 2026-11-21[^]*Paid €11\.90/);
    await expect(invoicePdf({ ...INVOICE, totalMinorUnits: 1000n })).rejects.toThrow("must be 1190");
  });
});
