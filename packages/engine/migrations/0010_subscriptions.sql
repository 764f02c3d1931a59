-- Plans that people pay for by the month or the year. The provider charges; what arrives here is what it says.

create table subscriptions (
  account_id           text        not null references accounts (account_id),
  -- Ours, and the provider's idempotency key for making it.
  subscription_id      text        not null,
  provider_id          text,
  state                text        not null check (state in ('starting', 'active', 'past_due', 'ended', 'failed')),
  -- What was asked for at first.
  plan_id              text        not null,
  -- What the next invoice will be for.
  renews_as            text        not null,
  currency             text        not null,
  -- The saved method of the first payment; null: a page to pay on.
  method_id            text,
  return_url           text,
  page_id              text,
  url                  text,
  period_start         timestamptz,
  period_end           timestamptz,
  cancel_at_period_end boolean     not null default false,
  past_due_since       timestamptz,
  grace_until          timestamptz,
  end_reason           text        check (end_reason in ('canceled', 'unpaid', 'declined', 'abandoned')),
  failure              text,
  created_at           timestamptz not null,
  created_by           text        not null,
  ended_at             timestamptz,
  -- Grows with every change, so that what was read from the provider before it is not written after it.
  version              int4        not null default 0,
  -- When to ask the provider again, by the engine's clock; null: never by itself.
  due_at               timestamptz,
  -- Until when one process has it in hand, by the database's own clock.
  leased_until         timestamptz,
  primary key (account_id, subscription_id)
);
-- One at a time, however many ask at once.
create unique index subscriptions_one_open on subscriptions (account_id)
  where state in ('starting', 'active', 'past_due');
create unique index subscriptions_provider on subscriptions (provider_id) where provider_id is not null;
create index subscriptions_due on subscriptions (due_at) where due_at is not null;

-- The terms of each plan that a subscription has had, as they were when it was chosen: a later price book changes
-- nothing for those who have subscribed.
create table subscription_terms (
  account_id      text not null,
  subscription_id text not null,
  plan_id         text not null,
  name            text not null,
  plan_interval   text not null check (plan_interval in ('month', 'year')),
  credits         int8 not null check (credits > 0),
  bonus           int8 not null check (bonus >= 0),
  rollover_months int4 not null check (rollover_months >= 0),
  amount          int8 not null check (amount > 0),
  primary key (account_id, subscription_id, plan_id),
  foreign key (account_id, subscription_id) references subscriptions
);

create table subscription_invoices (
  account_id      text        not null,
  invoice_id      text        not null,
  subscription_id text        not null,
  plan_id         text,
  reason          text        not null check (reason in ('create', 'cycle', 'update', 'other')),
  status          text        not null check (status in ('draft', 'open', 'paid', 'void', 'uncollectible')),
  number          text,
  amount_due      int8        not null,
  amount_paid     int8        not null,
  currency        text        not null,
  period_start    timestamptz not null,
  period_end      timestamptz not null,
  attempts        int4        not null,
  url             text,
  pdf_url         text,
  created_at      timestamptz not null,
  -- Months whose credits are in the ledger, of those that were paid for.
  issued          int4        not null default 0,
  -- When the next month's credits are due, by the engine's clock; null: all are issued, or none is.
  due_at          timestamptz,
  primary key (account_id, invoice_id),
  foreign key (account_id, subscription_id) references subscriptions
);
create index subscription_invoices_due on subscription_invoices (due_at) where due_at is not null;
create index subscription_invoices_created on subscription_invoices (account_id, created_at desc, invoice_id desc);

grant select, insert, update on subscriptions, subscription_terms, subscription_invoices to bursar_app;
