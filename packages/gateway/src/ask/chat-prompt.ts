import { type Fields, isObject } from "./fields.ts";
import { Prompt } from "./prompt.ts";

/** How chats are wrapped: role and separators of a message, and the opening of the answer. */
const MESSAGE_TOKENS = 4;
const ANSWER_TOKENS = 3;
const LONGEST_ROLE = 16;
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

/** Everything of a chat that becomes input: messages, earlier tool calls, tools, and the schema of the answer. Of what
 *  has other names nobody knows whether models read it: it is reserved for, and billed if the upstream counts it. */
export function chatPrompt(body: Fields): Prompt {
  const { model: _, messages, tools, functions, response_format: format, ...others } = body;
  const tally: Tally = { texts: [], tokens: ANSWER_TOKENS };
  for (const message of messages as Fields[]) addMessage(tally, message);
  for (const value of [tools, functions, format]) if (typeof value !== "string") addText(tally, value);
  return new Prompt(tally.texts, tally.tokens, others);
}

function addMessage(tally: Tally, message: Fields): void {
  tally.tokens += MESSAGE_TOKENS;
  const { role, content, ...others } = message;
  if (typeof role !== "string" || role.length > LONGEST_ROLE) addText(tally, role);
  if (Array.isArray(content)) for (const part of content) addPart(tally, part);
  else addText(tally, content);
  for (const value of Object.values(others)) addText(tally, value);
}

function addPart(tally: Tally, part: unknown): void {
  if (!isObject(part)) return addText(tally, part);
  const { type: _, image_url: picture, input_audio: sound, file, ...others } = part;
  if (picture != null) tally.tokens += PICTURE_TOKENS;
  if (sound != null) tally.tokens += sizeOf(sound, "data", SOUND_CHARACTERS_PER_TOKEN);
  if (file != null) tally.tokens += sizeOf(file, "file_data", FILE_CHARACTERS_PER_TOKEN);
  for (const value of Object.values(others)) addText(tally, value);
}

function addText(tally: Tally, value: unknown): void {
  if (typeof value === "string") tally.texts.push(value);
  else if (typeof value === "object" && value !== null) tally.texts.push(JSON.stringify(value));
}

function sizeOf(holder: unknown, field: string, charactersPerToken: number): number {
  const content = isObject(holder) ? holder[field] : undefined;
  return typeof content === "string" ? Math.ceil(content.length / charactersPerToken) : PICTURE_TOKENS;
}
