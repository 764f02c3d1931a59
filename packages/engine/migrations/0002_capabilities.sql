-- What stands around the ledger: prices, API keys, and why something was refused.

-- A version is never changed: receipts refer to it. Small, and needed by all: a reference table.
create table price_books (
  version    int4        not null primary key,
  valid_from timestamptz not null,
  created_at timestamptz not null,
  created_by text        not null,
  body       json        not null
);

-- Only the hash of a key is kept (SHA-256 of a 256-bit secret: nothing to guess, nothing to slow down).
create table api_keys (
  key_id       text        not null primary key,
  -- null for an admin key.
  account_id   text        references accounts (account_id),
  name         text        not null,
  prefix       text        not null,
  secret_hash  bytea       not null unique,
  cap_amount   int8,
  cap_window   text        not null default 'total',
  expires_at   timestamptz,
  revoked_at   timestamptz,
  last_used_at timestamptz,
  created_at   timestamptz not null,
  created_by   text        not null
);
create index api_keys_account on api_keys (account_id);

-- Every decision has a receipt. An allowed one is told by its entries; a refused one wrote none, so it is kept here.
create table refusals (
  account_id text        not null,
  refusal_id text        not null,
  -- The operation's id: the same question may be refused several times before it is allowed.
  reference  text        not null,
  request_id text,
  operation  text        not null,
  code       text        not null,
  amount     int8,
  feature    text,
  detail     json        not null,
  at         timestamptz not null,
  by         text        not null,
  primary key (account_id, refusal_id)
);
create index refusals_request on refusals (account_id, request_id) where request_id is not null;
create index refusals_reference on refusals (account_id, reference);

create index usage_records_at on usage_records (account_id, at);

grant select, insert on price_books, refusals to bursar_app;
grant select, insert, update on api_keys to bursar_app;
