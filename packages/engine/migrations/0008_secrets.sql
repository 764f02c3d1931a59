-- Fields that are encrypted at rest, and the keys they are encrypted with.

-- One a account. Wrapped by a master key, which is never in the database.
create table data_keys (
  account_id    text        not null primary key,
  -- Named in every ciphertext.
  key_id        text        not null,
  master_key_id text        not null,
  wrapped       bytea       not null,
  created_at    timestamptz not null,
  rewrapped_at  timestamptz
);
create index data_keys_master on data_keys (master_key_id, account_id);

-- Encrypted values that have no column of their own.
create table encrypted_fields (
  account_id text        not null,
  -- `table.column`, or whatever the capability calls it.
  field      text        not null,
  sealed     text        not null,
  written_at timestamptz not null,
  primary key (account_id, field)
);

grant select, insert, update on data_keys to bursar_app;
grant select, insert, update, delete on encrypted_fields to bursar_app;
