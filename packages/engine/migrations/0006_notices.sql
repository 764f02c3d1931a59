-- What people are told about their account, written with what caused it.

create table notices (
  account_id text        not null,
  -- Made by whoever tells it from what it is about: an account is told once per id.
  notice_id  text        not null,
  kind       text        not null,
  -- Emptied when the notice is deleted; the row stays, so that it is not told again.
  title      text        not null,
  text       text        not null,
  details    jsonb,
  at         timestamptz not null,
  read_at    timestamptz,
  deleted_at timestamptz,
  -- Still to be handed to the mail outbox.
  mail_due   boolean     not null default false,
  primary key (account_id, notice_id),
  constraint notices_deleted_are_not_mailed check (deleted_at is null or not mail_due)
);
create index notices_newest on notices (account_id, at desc, notice_id desc) where deleted_at is null;
create index notices_unread on notices (account_id) where deleted_at is null and read_at is null;
create index notices_mail on notices (at) where mail_due;

grant select, insert, update on notices to bursar_app;
