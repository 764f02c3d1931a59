-- What administrators do, and why. An action is written before its effect and how it ended afterwards, so that nothing
-- is done that is not told, whatever dies in between. Not per account: some concern none, and who asks asks across all.

create table admin_actions (
  action_id  text        not null primary key,
  -- The order in which they were begun: times may be equal, and a sandbox's stand still.
  number     int8        not null unique generated always as identity,
  at         timestamptz not null,
  -- `admin:<key>` or `user:<person>`, and what they were called then: keys are renamed by nobody, but people leave.
  by         text        not null,
  by_name    text,
  operation  text        not null,
  -- As far as the request says it.
  account_id text,
  target     text,
  reason     text,
  request_id text        not null,
  -- What was asked, without anything secret.
  fields     json        not null
);
create index admin_actions_account on admin_actions (account_id) where account_id is not null;
create index admin_actions_by on admin_actions (by, number);
create index admin_actions_operation on admin_actions (operation, number);

-- Without a row here nobody knows how an action ended: the process died, or the database was away.
create table admin_action_outcomes (
  action_id  text        not null primary key references admin_actions (action_id),
  at         timestamptz not null,
  -- done, repeated, or why not.
  outcome    text        not null,
  -- Whom it turned out to be about, where the request does not say it.
  account_id text,
  -- What came of it: a key's id, a grant's, a price book's version.
  result     text
);
create index admin_action_outcomes_account on admin_action_outcomes (account_id) where account_id is not null;

-- The application has no right to change them, and whoever has is stopped here.
create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is append-only', tg_table_name;
end $$;
create trigger admin_actions_are_kept before update or delete or truncate on admin_actions
  for each statement execute function refuse_change();
create trigger admin_action_outcomes_are_kept before update or delete or truncate on admin_action_outcomes
  for each statement execute function refuse_change();

grant select, insert on admin_actions, admin_action_outcomes to bursar_app;

-- For finding an account by any part of a name, id, username or e-mail. The extension comes with Postgres, and whoever
-- may create things in a database may create it there.
create extension if not exists pg_trgm;
create index accounts_search on accounts using gin (account_id gin_trgm_ops, name gin_trgm_ops);
create index people_search on identity.people
  using gin (id gin_trgm_ops, email gin_trgm_ops, username gin_trgm_ops, name gin_trgm_ops);
create index organizations_search on organizations
  using gin (organization_id gin_trgm_ops, name gin_trgm_ops);
