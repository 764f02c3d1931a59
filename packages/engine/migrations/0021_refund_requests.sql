-- Money that somebody wants paid back: written down before the payment provider is asked, so that whoever dies, it is
-- paid back once and its credits are taken.
create table payment_refund_requests (
  account_id      text        not null,
  payment_id      text        not null,
  -- The caller's id; with the payment it makes the provider's idempotency key.
  request_id      text        not null,
  -- unused: as much as its unused credits were worth.
  kind            text        not null check (kind in ('amount', 'unused')),
  state           text        not null check (state in ('wanted', 'done', 'refused')),
  -- What the caller asked, word for word: the same id for anything else is refused.
  asked           text        not null,
  -- null until the unused credits are counted.
  amount          int8        check (amount > 0),
  -- Holds the unused credits until the money is on its way.
  hold_id         text,
  failure_code    text,
  failure_message text,
  by              text        not null,
  reason          text        not null,
  created_at      timestamptz not null,
  ended_at        timestamptz,
  -- When to go on with it; null: never again.
  due_at          timestamptz,
  tries           int4        not null default 0,
  leased_until    timestamptz,
  primary key (account_id, payment_id, request_id)
);
create index payment_refund_requests_due on payment_refund_requests (due_at) where due_at is not null;

-- Which request a refund is the answer to; null: it was made at the provider itself.
alter table payment_refunds add column request_id text;

create index payment_disputes_open on payment_disputes (account_id, payment_id) where state = 'open';

-- The page on which an account enters a payment method: its id is the provider's idempotency key, so that whoever got
-- no answer is led to the same page.
create table payment_setup_pages (
  account_id  text        not null primary key,
  page_id     text        not null,
  customer_id text        not null,
  return_url  text        not null,
  -- null until the provider has answered.
  url         text,
  created_at  timestamptz not null
);

grant select, insert, update on payment_refund_requests, payment_setup_pages to bursar_app;
