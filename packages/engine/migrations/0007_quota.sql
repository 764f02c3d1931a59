-- Credits that arrive by calendar.

-- What an account is given each month. Months are the calendar's, counted from the anchor, which never changes: so a
-- cycle has one name for ever, and the grant under that name is issued once.
create table quotas (
  account_id      text        not null primary key references accounts (account_id),
  anchor_at       timestamptz not null,
  -- 0: the cycles go on, and nothing is given.
  credits         int8        not null check (credits >= 0),
  -- How much of a cycle's unused credits may live on at most, and for how many months after the cycle.
  rollover_cap    int8        check (rollover_cap > 0),
  rollover_months int4        check (rollover_months > 0),
  -- The cycle that was issued last, counted from the anchor; null before the first.
  issued_cycle    int4,
  next_reset_at   timestamptz not null,
  created_at      timestamptz not null,
  changed_at      timestamptz not null,
  changed_by      text        not null,
  constraint quotas_rollover_is_whole check ((rollover_cap is null) = (rollover_months is null))
);
create index quotas_due on quotas (next_reset_at);

-- Starter credits on their way: written with the account, gone when the grant is in the ledger.
create table starter_grants (
  account_id text        not null primary key references accounts (account_id),
  amount     int8        not null check (amount > 0),
  created_at timestamptz not null
);

grant select, insert, update on quotas to bursar_app;
grant select, insert, delete on starter_grants to bursar_app;
