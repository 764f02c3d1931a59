-- People who have asked to be deleted, until they are.

-- Written in the transaction that ends all that they could do; goes with the person. Who finds one that is due goes on
-- with it.
create table identity.deletions (
  person_id text        not null primary key references identity.people (id) on delete cascade,
  asked_at  timestamptz not null,
  -- When to go on with it, unless it has come to its end by then.
  due_at    timestamptz not null
);
create index deletions_due on identity.deletions (due_at);
grant select, insert, update, delete on identity.deletions to bursar_app;

-- The last mail to somebody who is deleted: once it has ended nothing of it is kept, neither the address.
alter table mails add column is_farewell boolean not null default false;
