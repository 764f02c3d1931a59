import { InvalidArgumentError } from "commander";

/** For options that take a number: what commander calls with the text after the flag. */
export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number, 0 or more.");
}

/** "a,b" or the flag given twice. */
export function list(text: string, before: readonly string[] = []): string[] {
  return [...before, ...text.split(",").filter((part) => part !== "")];
}

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;

/** A moment as people write it: "30d" from now ("2h", "4w", …), a day (its start in UTC), or an ISO 8601 instant.
 *  For "ago", "7d" lies in the past. */
export interface Moment {
  readonly text: string;
  readonly direction: "ahead" | "ago";
}

const DISTANCE = /^(\d{1,6})([smhdw])$/;

export function isFromNow({ text }: Moment): boolean {
  return DISTANCE.test(text);
}

export function instantOf({ text, direction }: Moment, nowMilliseconds: number): string {
  const distance = DISTANCE.exec(text);
  if (distance !== null) {
    const milliseconds = Number(distance[1]) * secondsIn(distance[2]) * 1000;
    return new Date(nowMilliseconds + (direction === "ahead" ? milliseconds : -milliseconds)).toISOString();
  }
  if (/^\d{4}-\d\d-\d\d$/.test(text)) return `${text}T00:00:00Z`;
  if (/^\d{4}-\d\d-\d\d[T ].*(Z|[+-]\d\d:?\d\d)$/.test(text)) return text;
  throw new InvalidArgumentError('It must be like "30d", "12h", "2027-01-31" or "2027-01-31T08:00:00Z".');
}

export const NEVER = "never";

/** A moment ahead, or never. */
export function expires(text: string): Moment | typeof NEVER {
  return text === NEVER ? NEVER : ahead(text);
}

export const ahead = (text: string): Moment => readable({ text, direction: "ahead" });
export const ago = (text: string): Moment => readable({ text, direction: "ago" });

function readable(moment: Moment): Moment {
  instantOf(moment, 0);
  return moment;
}

function secondsIn(unit: string | undefined): number {
  const seconds: Readonly<Record<string, number>> = SECONDS;
  return seconds[unit ?? ""] ?? 0;
}
