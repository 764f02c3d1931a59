import { styleText } from "node:util";

type Style = "bold" | "dim" | "red" | "green" | "yellow";

export type Paint = Readonly<Record<Style, (text: string) => string>>;

/** Colours, or nothing at all. */
export function createPaint(hasColours: boolean): Paint {
  const paint = (style: Style) => (text: string) =>
    hasColours && text !== "" ? styleText(style, text, { validateStream: false }) : text;
  return {
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
  };
}

/** https://no-color.org: only on a terminal, unless forced, and never against the reader's wish. */
export function wantsColours(
  stream: { readonly isTTY?: boolean },
  environment: NodeJS.ProcessEnv,
  isSwitchedOff: boolean,
): boolean {
  const isSet = (name: string) => environment[name] !== undefined && environment[name] !== "";
  if (isSwitchedOff || isSet("NO_COLOR") || environment["TERM"] === "dumb") return false;
  return stream.isTTY === true || (isSet("FORCE_COLOR") && environment["FORCE_COLOR"] !== "0");
}
