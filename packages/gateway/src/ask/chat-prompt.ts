import { type Fields, isObject } from "./fields.ts";
import { Prompt } from "./prompt.ts";

/** How chats are wrapped: role and separators of a message, and the opening of the answer. */
const MESSAGE_TOKENS = 4;
const ANSWER_TOKENS = 3;
/** A large picture in high detail. Small ones take 85; the settlement knows. */
const PICTURE_TOKENS = 1500;
/** Providers take 10 tokens a second of sound; compressed speech is some kilobytes a second. */
const SOUND_CHARACTERS_PER_TOKEN = 200;
/** Files travel as base64; a PDF page is about 60 KB and 1500 tokens with its picture. */
const FILE_CHARACTERS_PER_TOKEN = 40;

interface Tally {
  readonly texts: string[];
  tokens: number;
}

/** Everything of a chat that becomes input: messages, earlier tool calls, tools, and the schema of the answer. */
export function chatPrompt(body: Fields): Prompt {
  const tally: Tally = { texts: [], tokens: ANSWER_TOKENS };
  for (const message of body["messages"] as Fields[]) addMessage(tally, message);
  for (const key of ["tools", "functions", "response_format"]) {
    const value = body[key];
    if (typeof value === "object" && value !== null) tally.texts.push(JSON.stringify(value));
  }
  return new Prompt(tally.texts, tally.tokens);
}

function addMessage(tally: Tally, message: Fields): void {
  tally.tokens += MESSAGE_TOKENS;
  const { content, tool_calls: calls, name } = message;
  if (typeof name === "string") tally.texts.push(name);
  if (typeof content === "string") tally.texts.push(content);
  else if (Array.isArray(content)) for (const part of content) addPart(tally, part);
  if (Array.isArray(calls)) tally.texts.push(JSON.stringify(calls));
}

function addPart(tally: Tally, part: unknown): void {
  if (!isObject(part)) return;
  if (typeof part["text"] === "string") tally.texts.push(part["text"]);
  else if (part["type"] === "image_url") tally.tokens += PICTURE_TOKENS;
  else if (part["type"] === "input_audio")
    tally.tokens += sizeOf(part["input_audio"], "data", SOUND_CHARACTERS_PER_TOKEN);
  else if (part["type"] === "file")
    tally.tokens += sizeOf(part["file"], "file_data", FILE_CHARACTERS_PER_TOKEN);
  else tally.texts.push(JSON.stringify(part));
}

function sizeOf(holder: unknown, field: string, charactersPerToken: number): number {
  const content = isObject(holder) ? holder[field] : undefined;
  return typeof content === "string" ? Math.ceil(content.length / charactersPerToken) : PICTURE_TOKENS;
}
