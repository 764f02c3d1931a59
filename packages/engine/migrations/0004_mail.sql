-- Mails on their way to people, and the clock of a sandbox.

-- Written with whatever caused the mail, sent afterwards, so that neither a crash nor an outage of the mail server
-- loses one.
create table mails (
  -- The sender's own name for it: a mail is taken in once per id.
  mail_id      text        not null primary key,
  recipient    text        not null,
  subject      text        not null,
  -- Emptied when the mail has gone or was given up: what leads into somebody's account is not kept.
  body_text    text,
  body_html    text,
  created_at   timestamptz not null,
  -- When to try next, by the engine's clock; null when there is nothing left to do.
  due_at       timestamptz,
  -- Until when one process has it in hand, by the database's own clock, which nobody moves.
  leased_until timestamptz,
  attempts     int4        not null default 0,
  sent_at      timestamptz,
  given_up_at  timestamptz,
  last_error   text,
  constraint mails_end_once check (sent_at is null or given_up_at is null),
  constraint mails_are_due_until_they_end check ((due_at is null) = (sent_at is not null or given_up_at is not null))
);
create index mails_due on mails (due_at) where due_at is not null;
create index mails_over on mails (created_at) where due_at is null;

-- How far the sandbox's time is from the machine's. One row, and none until somebody moves the clock.
create table sandbox_clock (
  single              boolean     not null primary key default true check (single),
  offset_microseconds int8        not null,
  -- Set while time stands still.
  frozen_at           timestamptz
);

grant select, insert, update, delete on mails to bursar_app;
grant select, insert, update on sandbox_clock to bursar_app;
