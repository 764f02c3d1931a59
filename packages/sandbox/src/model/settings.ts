export interface AskedToolCall {
  name: string;
  /** JSON text; absent means that the arguments are made up from the tool's schema. */
  arguments?: string;
}

/** What a directive or a fault may ask of one request. Absent means: behave well. */
export interface Settings {
  delayMs?: number;
  intervalMs?: number;
  status?: number;
  retryAfterSeconds?: number;
  code?: string;
  message?: string;
  reset?: boolean;
  cutAfterTokens?: number;
  hangAfterTokens?: number;
  malformedAfterTokens?: number;
  errorAfterTokens?: number;
  noUsage?: boolean;
  noDone?: boolean;
  usageInputTokens?: number;
  usageOutputTokens?: number;
  usageTotalTokens?: number;
  cachedTokens?: number;
  reasoningTokens?: number;
  answerTokens?: number;
  empty?: boolean;
  say?: string;
  finishReason?: string;
  toolCalls?: AskedToolCall[];
}

type FieldOf<Value> = {
  [Name in keyof Settings]-?: NonNullable<Settings[Name]> extends Value ? Name : never;
}[keyof Settings];

/** Writes a word's value into the settings; false when the value makes no sense for that word. */
type Reader = (settings: Settings, value: string | undefined) => boolean;

function count(field: FieldOf<number>, minimum = 0, maximum = 1_000_000): Reader {
  return (settings, value) => {
    const number = Number(value ?? "nothing");
    if (!Number.isInteger(number) || number < minimum || number > maximum) return false;
    settings[field] = number;
    return true;
  };
}

/** `500ms`, `2s`, or a bare number of milliseconds; ten minutes at most. */
function duration(field: FieldOf<number>): Reader {
  return (settings, value) => {
    const match = /^(\d+(?:\.\d+)?)(ms|s)?$/.exec(value ?? "");
    const milliseconds = Number(match?.[1] ?? "nothing") * (match?.[2] === "s" ? 1000 : 1);
    if (!(milliseconds <= 600_000)) return false;
    settings[field] = milliseconds;
    return true;
  };
}

function flag(field: FieldOf<boolean>): Reader {
  return (settings, value) => {
    if (value !== undefined && value !== "true" && value !== "false") return false;
    settings[field] = value !== "false";
    return true;
  };
}

function word(field: FieldOf<string>): Reader {
  return (settings, value) => {
    if (value === undefined) return false;
    settings[field] = value;
    return true;
  };
}

function addToolCall(settings: Settings, value: string | undefined): boolean {
  if (!value) return false;
  settings.toolCalls = [...(settings.toolCalls ?? []), { name: value }];
  return true;
}

function argueToolCall(settings: Settings, value: string | undefined): boolean {
  const last = settings.toolCalls?.at(-1);
  if (!last || value === undefined) return false;
  last.arguments = value;
  return true;
}

/** The whole directive language: one word a line. */
export const readers: Readonly<Record<string, Reader>> = {
  delay: duration("delayMs"),
  interval: duration("intervalMs"),
  status: count("status", 400, 599),
  retry_after: count("retryAfterSeconds"),
  code: word("code"),
  message: word("message"),
  reset: flag("reset"),
  cut_after: count("cutAfterTokens"),
  hang_after: count("hangAfterTokens"),
  malformed_after: count("malformedAfterTokens"),
  error_after: count("errorAfterTokens"),
  no_usage: flag("noUsage"),
  no_done: flag("noDone"),
  usage_input: count("usageInputTokens", 0, 1e12),
  usage_output: count("usageOutputTokens", 0, 1e12),
  usage_total: count("usageTotalTokens", 0, 1e12),
  cached: count("cachedTokens"),
  reasoning: count("reasoningTokens"),
  tokens: count("answerTokens", 0, 200_000),
  empty: flag("empty"),
  say: word("say"),
  finish: word("finishReason"),
  tool: addToolCall,
  args: argueToolCall,
};
