-- Credits by code: gift cards, promo codes, referrals. What a code is worth is decided here, and the credits come from
-- the ledger: a redemption promises a grant in its own transaction, and the promise is kept right after it.

-- Grants that the ledger has yet to be told of. A row leaves when it has.
create table promised_grants (
  account_id text        not null,
  grant_id   text        not null,
  amount     int8        not null,
  source     text        not null,
  expires_at timestamptz,
  notes      text        not null,
  reference  text        not null,
  promised_by text       not null,
  at         timestamptz not null,
  -- Why the ledger will never take it. A bug; such a row waits for somebody to look.
  refused    text,
  primary key (account_id, grant_id)
);
create index promised_grants_waiting on promised_grants (at) where refused is null;

create table gift_batches (
  batch_id   text        not null primary key,
  name       text        not null,
  amount     int8        not null,
  count      int4        not null,
  expires_at timestamptz,
  created_at timestamptz not null,
  created_by text        not null
);

-- Of a code only a slow hash is kept. Belongs to nobody until somebody redeems it.
create table gift_cards (
  card_id     text        not null primary key,
  batch_id    text        not null references gift_batches (batch_id),
  code_hash   bytea       not null unique,
  redeemed_by text        references accounts (account_id),
  redeemed_at timestamptz,
  voided_at   timestamptz,
  voided_by   text,
  void_reason text,
  constraint gift_cards_end_once check (redeemed_at is null or voided_at is null)
);
create index gift_cards_batch on gift_cards (batch_id);

create table promo_codes (
  code              text        not null primary key,
  amount            int8        not null,
  -- null: any number.
  redeem_limit      int4,
  redeemed          int4        not null default 0,
  minimum_purchased int8        not null default 0,
  credits_last_days int4,
  expires_at        timestamptz,
  disabled_at       timestamptz,
  disabled_by       text,
  created_at        timestamptz not null,
  created_by        text        not null,
  constraint promo_codes_keep_their_limit check (redeem_limit is null or redeemed <= redeem_limit)
);

-- One an account and code: the primary key is what refuses a second.
create table promo_redemptions (
  account_id text        not null references accounts (account_id),
  code       text        not null references promo_codes (code),
  grant_id   text        not null,
  amount     int8        not null,
  expires_at timestamptz,
  at         timestamptz not null,
  primary key (account_id, code)
);

create table referral_codes (
  account_id text        not null primary key references accounts (account_id),
  code       text        not null unique,
  created_at timestamptz not null
);

-- Who brought this account. One referrer an account: the primary key.
create table referrals (
  account_id  text        not null primary key references accounts (account_id),
  referrer_id text        not null references accounts (account_id),
  state       text        not null default 'pending',
  at          timestamptz not null,
  -- When to look again whether the condition is met, by the engine's clock; null when it is closed.
  due_at      timestamptz,
  closed_at   timestamptz,
  constraint referrals_not_of_oneself check (account_id <> referrer_id),
  constraint referrals_state_is_known check (state in ('pending', 'rewarded', 'unrewarded')),
  constraint referrals_are_due_until_they_close check ((state = 'pending') = (due_at is not null))
);
create index referrals_referrer on referrals (referrer_id, state);
create index referrals_due on referrals (due_at) where due_at is not null;

-- Tries of codes within a quarter of an hour, by account and by address (hashed).
create table code_tries (
  scope        text        not null,
  window_start timestamptz not null,
  tries        int4        not null,
  primary key (scope, window_start)
);
create index code_tries_over on code_tries (window_start);

grant select, insert, update, delete on promised_grants, code_tries to bursar_app;
grant select, insert, update on gift_batches, gift_cards, promo_codes, referrals to bursar_app;
grant select, insert on promo_redemptions, referral_codes to bursar_app;
