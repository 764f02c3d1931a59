-- The ledger. Every table is led by account_id, so that one account always lives on one shard.
-- Amounts are micro-credits (1 credit = 1,000,000).

create table accounts (
  account_id  text        not null primary key,
  name        text        not null,
  available   int8        not null default 0,
  held        int8        not null default 0,
  owed        int8        not null default 0,
  -- Running totals of the buckets outside the account, so that invariant 1 is a property of one row.
  issued      int8        not null default 0,
  spent       int8        not null default 0,
  expired     int8        not null default 0,
  revoked     int8        not null default 0,
  frozen      boolean     not null default false,
  -- The grants that still have something to give or to take back, in spending order, so that a balance is this one
  -- row. Fields: id source remaining held priority expiresAt allocatedAt scope (grants-text.ts).
  grants      text        not null default '',
  -- The newest entry: its dense number and the head of the hash chain.
  seq         int8        not null default 0,
  hash        bytea       not null,
  alert_below int8,
  created_at  timestamptz not null,
  -- The database itself refuses a row that breaks the books.
  constraint accounts_no_bucket_is_negative check (available >= 0 and held >= 0 and owed >= 0),
  constraint accounts_books_balance check (issued = available + held + spent + expired + revoked - owed)
) with (fillfactor = 50);

-- Append-only. One row a transfer; the rows of one command are a group with dense numbers, led by the row with the key.
-- The columns from account_id to by are what the hash covers, in this order, as COPY prints them.
create table entries (
  account_id      text        not null,
  seq             int8        not null,
  kind            text        not null,
  amount          int8        not null,
  draws           json,
  reference       text        not null,
  parent_id       text,
  hold_after      int8,
  key             uuid,
  fingerprint     int8,
  group_size      int2        not null,
  feature         text,
  metadata        json,
  decision        json,
  note            text,
  request_id      text,
  available_after int8        not null,
  held_after      int8        not null,
  owed_after      int8        not null,
  expires_at      timestamptz,
  at              timestamptz not null,
  by              text        not null,
  hash            bytea       not null,
  primary key (account_id, seq)
);
-- At most one entry group per idempotency key.
create unique index entries_key on entries (account_id, key) where key is not null;
-- For receipts by request id.
create index entries_request on entries (account_id, request_id) where request_id is not null;

-- A hold's extensions, which have keys of their own, for its receipt.
create index entries_extensions on entries (account_id, reference) where kind = 'extend';

-- What a grant was when it arrived. What remains of it is in accounts.grants while it is open.
create table grants (
  account_id   text        not null,
  grant_id     text        not null,
  source       text        not null,
  granted      int8        not null,
  priority     int2        not null,
  expires_at   timestamptz,
  scope        json,
  allocated_by text        not null,
  allocated_at timestamptz not null,
  notes        text,
  reference    text,
  primary key (account_id, grant_id)
);

-- Grants whose expiry the sweep has still to write into the ledger; a row leaves when it has.
create table grant_expiries (
  account_id text        not null,
  grant_id   text        not null,
  expires_at timestamptz not null,
  primary key (account_id, grant_id)
);
create index grant_expiries_due on grant_expiries (expires_at);

-- Open holds only: closing a hold deletes its row, and its entries tell the rest.
create table holds (
  account_id text        not null,
  hold_id    text        not null,
  parent_id  text,
  amount     int8        not null,
  draws      json        not null,
  reported   int8        not null default 0,
  feature    text,
  caps       json,
  expires_at timestamptz,
  created_at timestamptz not null,
  primary key (account_id, hold_id),
  constraint holds_amount_is_not_negative check (amount >= 0)
) with (fillfactor = 70);
create index holds_due on holds (expires_at) where expires_at is not null;
create index holds_children on holds (account_id, parent_id) where parent_id is not null;

-- What has been used of a cap within its window: a hold counts at once, its settlement corrects the count.
create table cap_counters (
  account_id   text not null,
  cap_id       text not null,
  window_start text not null,
  used         int8 not null,
  primary key (account_id, cap_id, window_start)
) with (fillfactor = 50);

-- Work outside the database that a commit asks for. Written with the command, done later, then deleted.
create table effects (
  account_id text        not null,
  effect_id  text        not null,
  kind       text        not null,
  payload    json        not null,
  at         timestamptz not null,
  primary key (account_id, effect_id)
);
create index effects_at on effects (at);

-- What AI work used, one row a charge, for statistics; the charge itself is the entry with the same seq.
create table usage_records (
  account_id          text        not null,
  seq                 int8        not null,
  reference           text        not null,
  model               text        not null,
  feature             text,
  key_id              text,
  input_tokens        int8        not null,
  cached_input_tokens int8        not null,
  output_tokens       int8        not null,
  amount              int8        not null,
  price_version       int4        not null,
  at                  timestamptz not null,
  primary key (account_id, seq)
);

-- The application may add entries, never change or remove them.
grant select, insert, update on accounts to bursar_app;
grant select, insert on entries, grants, usage_records to bursar_app;
grant select, insert, update, delete on grant_expiries, holds, cap_counters, effects to bursar_app;
