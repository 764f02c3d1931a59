-- Prompts that run over the socket: each in one process at a time, and what it has done so far, so that another process
-- can go on with it where that one ended.

create table prompts (
  -- Whose session asked; who pays may be another.
  account_id   text        not null,
  -- Made from session and prompt: what the prompt costs is billed under it.
  request_id   text        not null,
  -- The credential. Nobody else goes on with it.
  asked_by     text        not null,
  -- JSON, as it was asked first. Emptied when it has ended.
  asked        text        not null,
  -- JSON: what the gate found when it was passed; null before that.
  opening      text,
  -- In how many processes it has run, the present one included.
  life         int4        not null default 1,
  -- The process that runs it; null: none.
  owner        text,
  leased_until timestamptz,
  -- Another process has its client, and waits for it.
  is_wanted    boolean     not null default false,
  -- False: it did too much to be kept, and ends with its process.
  is_whole     boolean     not null default true,
  -- JSON: how it ended; null while it has not.
  ending       text,
  -- When it is forgotten, by the engine's clock.
  due_at       timestamptz not null,
  primary key (account_id, request_id),
  constraint prompts_that_end_are_nobodys check (ending is null or owner is null)
) with (fillfactor = 70);
create index prompts_due on prompts (due_at);

-- What is done of a prompt that has not ended: model calls and answers of tools, by name.
create table prompt_steps (
  account_id text not null,
  request_id text not null,
  name       text not null,
  body       text not null,
  primary key (account_id, request_id, name),
  foreign key (account_id, request_id) references prompts (account_id, request_id) on delete cascade
);

grant select, insert, update, delete on prompts, prompt_steps to bursar_app;
