import type { AccountId } from "@bursar/contract/ids";
import { formatPostgresTimestamp, type Instant } from "@bursar/contract/instant";
import type { MicroCredits } from "@bursar/contract/money";
import { withTransaction } from "@bursar/database/transaction";
import type pg from "pg";

export interface ChatSession {
  readonly accountId: AccountId;
  readonly sessionId: string;
  readonly title: string;
  readonly modelId: string;
  readonly createdAt: Instant;
  readonly updatedAt: Instant;
}

export interface ChatMessage {
  readonly messageId: string;
  readonly role: "user" | "assistant";
  readonly content: string;
  /** partial: cut off, and billed as far as it came. failed: nothing was billed. */
  readonly status: "complete" | "partial" | "failed";
  readonly modelId: string | null;
  readonly inputTokens: bigint | null;
  readonly outputTokens: bigint | null;
  readonly credits: MicroCredits | null;
  readonly requestId: string | null;
  readonly createdAt: Instant;
}

const SESSION = `account_id as "accountId", session_id as "sessionId", title, model_id as "modelId",
  created_at as "createdAt", updated_at as "updatedAt"`;
const MESSAGE = `message_id as "messageId", role, content, status, model_id as "modelId",
  input_tokens as "inputTokens", output_tokens as "outputTokens", credits, request_id as "requestId",
  created_at as "createdAt"`;

/** False: so many of the account's have not one message in them. It may get past that by as many as come at once. */
export async function insertSession(
  pool: pg.Pool,
  session: ChatSession,
  mostEmpty: number,
): Promise<boolean> {
  const { accountId, sessionId, title, modelId, createdAt, updatedAt } = session;
  const times = [formatPostgresTimestamp(createdAt), formatPostgresTimestamp(updatedAt)];
  const { rowCount } = await pool.query(
    `insert into chat_sessions (account_id, session_id, title, model_id, created_at, updated_at)
     select $1, $2, $3, $4, $5, $6
     where $7 > (select count(*) from (
       select from chat_sessions s where s.account_id = $1 and not exists (
         select from chat_messages m where m.account_id = s.account_id and m.session_id = s.session_id)
       limit $7) as empty)`,
    [accountId, sessionId, title, modelId, ...times, mostEmpty],
  );
  return rowCount === 1;
}

/** The latest first. */
export async function listSessions(
  pool: pg.Pool,
  accountId: AccountId,
  limit: number,
): Promise<ChatSession[]> {
  const { rows } = await pool.query<ChatSession>(
    `select ${SESSION} from chat_sessions where account_id = $1 order by updated_at desc, session_id limit $2`,
    [accountId, limit],
  );
  return rows;
}

/** All of an account in the order of their ids, those after the given one. */
export async function sessionsAfter(
  pool: pg.Pool,
  accountId: AccountId,
  { after, limit }: { after: string; limit: number },
): Promise<ChatSession[]> {
  const { rows } = await pool.query<ChatSession>(
    `select ${SESSION} from chat_sessions where account_id = $1 and session_id > $2 order by session_id limit $3`,
    [accountId, after, limit],
  );
  return rows;
}

/** Whoever's it is. */
export async function findSession(pool: pg.Pool, sessionId: string): Promise<ChatSession | null> {
  const { rows } = await pool.query<ChatSession>(
    `select ${SESSION} from chat_sessions where session_id = $1`,
    [sessionId],
  );
  return rows[0] ?? null;
}

export async function deleteSession(pool: pg.Pool, accountId: AccountId, sessionId: string): Promise<void> {
  await pool.query("delete from chat_sessions where account_id = $1 and session_id = $2", [
    accountId,
    sessionId,
  ]);
}

/** All of an account, with what was said in them. */
export async function deleteSessionsOf(pool: pg.Pool, accountId: AccountId): Promise<void> {
  await pool.query("delete from chat_sessions where account_id = $1", [accountId]);
}

/** The last `limit` messages, the oldest first. */
export async function lastMessages(
  pool: pg.Pool,
  { accountId, sessionId }: Pick<ChatSession, "accountId" | "sessionId">,
  limit: number,
): Promise<ChatMessage[]> {
  const { rows } = await pool.query<ChatMessage>(
    `select ${MESSAGE} from chat_messages where account_id = $1 and session_id = $2
     order by position desc limit $3`,
    [accountId, sessionId, limit],
  );
  return rows.toReversed();
}

/** The oldest first, those after the given position, of which the first is 1. */
export async function messagesAfter(
  pool: pg.Pool,
  { accountId, sessionId }: Pick<ChatSession, "accountId" | "sessionId">,
  { after, limit }: { after: number; limit: number },
): Promise<(ChatMessage & { readonly position: number })[]> {
  const { rows } = await pool.query<ChatMessage & { position: number }>(
    `select position, ${MESSAGE} from chat_messages where account_id = $1 and session_id = $2 and position > $3
     order by position limit $4`,
    [accountId, sessionId, after, limit],
  );
  return rows;
}

/** Adds messages at the end; two askers in one session take turns. False when the session is gone. */
export function addMessages(
  pool: pg.Pool,
  { accountId, sessionId }: Pick<ChatSession, "accountId" | "sessionId">,
  messages: readonly ChatMessage[],
): Promise<boolean> {
  return withTransaction(pool, async (client) => {
    const at = formatPostgresTimestamp(messages.at(-1)!.createdAt);
    const { rowCount } = await client.query(
      "update chat_sessions set updated_at = $3 where account_id = $1 and session_id = $2",
      [accountId, sessionId, at],
    );
    if (rowCount === 0) return false;
    for (const message of messages) {
      await client.query(
        `insert into chat_messages (account_id, session_id, position, message_id, role, content, status, model_id,
           input_tokens, output_tokens, credits, request_id, created_at)
         select $1, $2, coalesce(max(position), 0) + 1, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12
         from chat_messages where account_id = $1 and session_id = $2`,
        [accountId, sessionId, ...valuesOf(message)],
      );
    }
    return true;
  });
}

function valuesOf(message: ChatMessage): unknown[] {
  const { messageId, role, content, status, modelId, inputTokens, outputTokens, credits, requestId } =
    message;
  // Postgres keeps no NUL in a text.
  const text = content.replaceAll("\0", "");
  const facts = [messageId, role, text, status, modelId, inputTokens, outputTokens, credits, requestId];
  return [...facts, formatPostgresTimestamp(message.createdAt)];
}
