import { type Choice, countOutputTokens } from "../chat/choice.ts";
import type { Settings } from "../settings.ts";
import type { TokenCounts, Usage } from "../usage.ts";
import { cut, type Exchange } from "./exchange.ts";
import { withStreamFaults } from "./frame.ts";
import { type Dialect, interleave } from "./interleave.ts";
import { pump } from "./pump.ts";

export interface Reply {
  stream: boolean;
  includeUsage: boolean;
  choices: readonly Choice[];
  settings: Settings;
  counts: TokenCounts;
  usage: Usage;
  dialect: () => Dialect;
  body: (usage: Usage | undefined) => unknown;
}

/** Sends a decided answer, as a stream or whole, with the faults that belong to the sending. */
export function reply(exchange: Exchange, answer: Reply): void {
  exchange.entry.promptTokens = answer.counts.promptTokens;
  exchange.entry.cachedTokens = answer.counts.cachedTokens;
  exchange.entry.outputTokens = answer.counts.reasoningTokens;
  if (answer.stream) replyInPieces(exchange, answer);
  else replyWhole(exchange, answer);
}

function replyInPieces(exchange: Exchange, answer: Reply): void {
  const { settings } = answer;
  const frames = interleave(answer.dialect(), answer.choices, {
    usage: answer.includeUsage ? answer.usage : undefined,
    sendsUsage: !settings.noUsage,
    sendsDone: !settings.noDone,
  });
  pump(exchange, withStreamFaults(frames, settings), settings.intervalMs ?? 0);
}

/** A cut sends half a body and drops the line, garbage sends half a body as if it were whole, a hang sends nothing. */
function replyWhole(exchange: Exchange, answer: Reply): void {
  const { response, entry } = exchange;
  const { settings } = answer;
  if (settings.hangAfterTokens !== undefined) return;
  entry.outputTokens = answer.counts.outputTokens;
  const whole = JSON.stringify(answer.body(settings.noUsage ? undefined : answer.usage));
  const half = whole.slice(0, whole.length / 2);
  const sent = settings.malformedAfterTokens === undefined ? whole : half;
  const length = Buffer.byteLength(sent);
  entry.status = 200;
  response.writeHead(200, { "content-type": "application/json", "content-length": length });
  if (settings.cutAfterTokens !== undefined) {
    response.write(half, () => cut(exchange));
    return;
  }
  entry.tokensSent = countOutputTokens(answer.choices);
  response.end(sent);
}
