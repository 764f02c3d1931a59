-- The chat of the credit-check API, and what its lists read. The credits themselves are in the ledger alone.

create table chat_sessions (
  account_id text        not null references accounts (account_id),
  session_id text        not null,
  title      text        not null,
  model_id   text        not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (account_id, session_id)
);
-- A supervisor names a session alone.
create unique index chat_sessions_id on chat_sessions (session_id);

create table chat_messages (
  account_id    text        not null,
  session_id    text        not null,
  position      int4        not null,
  message_id    text        not null,
  role          text        not null,
  content       text        not null,
  -- complete, partial (cut off and billed as far as it came) or failed (nothing billed).
  status        text        not null,
  model_id      text,
  input_tokens  int8,
  output_tokens int8,
  credits       int8,
  request_id    text,
  created_at    timestamptz not null,
  primary key (account_id, session_id, position),
  foreign key (account_id, session_id) references chat_sessions on delete cascade
);

grant select, insert, update, delete on chat_sessions, chat_messages to bursar_app;

-- Streaming sessions that have ended, the latest first: of one account, and of all. Nothing else is in these indexes.
create index entries_streams_of_account on entries (account_id, at desc)
  where reference like 'stream:%' and key is not null and kind in ('settle', 'release');
create index entries_streams on entries (at desc)
  where reference like 'stream:%' and key is not null and kind in ('settle', 'release');

-- All allocations, the latest first.
create index grants_allocated on grants (allocated_at desc, account_id, grant_id);
