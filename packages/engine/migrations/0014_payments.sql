-- Money in: who pays, what was charged, when to charge by itself, and what the payment provider has told.

-- The provider's customer of an account. Made once; a deleted one is forgotten here.
create table payment_customers (
  account_id  text        not null primary key,
  -- The provider's idempotency key for making it.
  creation_id text        not null,
  customer_id text,
  created_at  timestamptz not null
);
create index payment_customers_customer on payment_customers (customer_id);

-- One attempt to take money for credits. Its id is the provider's idempotency key, and its grant id the ledger's: so
-- whoever carries it on, and however often, charges once and grants once.
create table payments (
  account_id        text        not null,
  payment_id        text        not null,
  kind              text        not null check (kind in ('purchase', 'topup')),
  -- saved: charged by us; checkout: paid on the provider's page.
  method            text        not null check (method in ('saved', 'checkout')),
  state             text        not null check (state in
    ('wanted', 'charging', 'requires_action', 'granted', 'confirmed', 'failed', 'reversed', 'canceled')),
  credits           int8        not null check (credits > 0),
  amount            int8        not null check (amount > 0),
  currency          text        not null,
  grant_id          text        not null,
  -- What the caller asked, word for word: the same id for anything else is refused.
  asked             text        not null,
  payment_method_id text,
  -- The provider's ids, once known.
  intent_id         text,
  checkout_id       text,
  url               text,
  -- What a link for people names it by: nobody can guess it.
  link              text        not null,
  return_url        text,
  failure_code      text,
  failure_message   text,
  -- For top-ups, why: the balance and the threshold then.
  net_before        int8,
  threshold         int8,
  by                text        not null,
  request_id        text,
  created_at        timestamptz not null,
  -- When the provider first said that the money was on its way.
  charged_at        timestamptz,
  ended_at          timestamptz,
  -- When to look at it again; null: never by itself.
  due_at            timestamptz,
  tries             int4        not null default 0,
  leased_until      timestamptz,
  primary key (account_id, payment_id)
);
-- One open top-up per account, whoever asks and however many at once.
create unique index payments_one_open_topup on payments (account_id)
  where kind = 'topup' and state in ('wanted', 'charging', 'requires_action');
create unique index payments_link on payments (link);
create index payments_due on payments (due_at) where due_at is not null;
create index payments_intent on payments (intent_id) where intent_id is not null;
create index payments_checkout on payments (checkout_id) where checkout_id is not null;
create index payments_created on payments (account_id, created_at desc, payment_id desc);

-- What was paid back, each with the credits it takes: decided once, when it is first seen.
create table payment_refunds (
  account_id text        not null,
  payment_id text        not null,
  refund_id  text        not null,
  amount     int8        not null check (amount > 0),
  credits    int8        not null check (credits >= 0),
  -- True when the bank sent the money back to us: its credits were given again.
  failed     boolean     not null default false,
  at         timestamptz not null,
  primary key (account_id, payment_id, refund_id)
);

-- Payments that a cardholder has disputed.
create table payment_disputes (
  account_id text        not null,
  payment_id text        not null,
  dispute_id text        not null,
  state      text        not null check (state in ('open', 'won', 'lost')),
  amount     int8        not null check (amount > 0),
  -- What was left of the credits and is frozen by a hold of this id; null where nothing was left.
  hold_id    text,
  opened_at  timestamptz not null,
  closed_at  timestamptz,
  primary key (account_id, payment_id, dispute_id)
);

create table topup_policies (
  account_id       text        not null primary key,
  enabled          boolean     not null default false,
  mode             text        check (mode in ('target', 'amount')),
  threshold        int8,
  -- The target, or the amount of one purchase.
  credits          int8,
  currency         text,
  daily_cap        int8,
  monthly_cap      int8,
  cooldown_seconds int4        not null default 3600,
  -- Why it was switched off other than by its owner.
  disabled_reason  text,
  -- Open disputes: nothing is bought meanwhile.
  disputes         int4        not null default 0 check (disputes >= 0),
  -- Not looked at by the sweep before this.
  check_at         timestamptz,
  updated_at       timestamptz not null,
  updated_by       text        not null,
  reason           text,
  -- An enabled policy is whole.
  constraint topup_policies_whole check (not enabled or (mode is not null and threshold is not null
    and credits is not null and currency is not null and daily_cap is not null and monthly_cap is not null))
);
create index topup_policies_enabled on topup_policies (check_at) where enabled;

-- Every version of every policy: who changed it, and why.
create table topup_policy_changes (
  account_id text        not null,
  change_id  text        not null,
  policy     json        not null,
  at         timestamptz not null,
  by         text        not null,
  reason     text,
  primary key (account_id, change_id)
);

-- The provider's events as they came, each once. What they mean is read from the provider's own record when they are
-- processed, so their order and their number do not matter.
create table payment_events (
  event_id     text        not null primary key,
  type         text        not null,
  body         json        not null,
  state        text        not null check (state in ('waiting', 'done', 'ignored', 'parked')),
  attempts     int4        not null default 0,
  last_error   text,
  created_at   timestamptz not null,
  received_at  timestamptz not null,
  processed_at timestamptz,
  due_at       timestamptz,
  leased_until timestamptz
);
create index payment_events_due on payment_events (due_at) where due_at is not null;
create index payment_events_received on payment_events (received_at desc, event_id desc);

-- The ledger reports when a balance falls below this: the threshold of an enabled top-up.
alter table accounts add column topup_below int8;

grant select, insert, update, delete on payment_customers to bursar_app;
grant select, insert, update on payments, payment_refunds, payment_disputes, topup_policies to bursar_app;
grant select, insert on topup_policy_changes to bursar_app;
grant select, insert, update, delete on payment_events to bursar_app;
