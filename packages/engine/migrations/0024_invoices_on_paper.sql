-- What an invoice says on paper, in the currency's minor unit, as the provider had it when it was settled:
-- {"lines": [{text, quantity, amount}, …], "taxes": [{label, amount, isIncluded}, …]}.
alter table subscription_invoices add column content json;
alter table subscription_invoices add column paid_at timestamptz;
-- Such as "visa •••• 4242".
alter table subscription_invoices add column paid_with text;
create index subscription_invoices_number on subscription_invoices (account_id, number);

-- Refunds and disputes of invoices. Its state only ever moves on: open (a dispute that the bank has not decided), taken
-- (paid back, or lost), returned (the refund failed, the dispute was won).
create table subscription_reversals (
  account_id  text        not null,
  invoice_id  text        not null,
  reversal_id text        not null,
  kind        text        not null check (kind in ('refund', 'dispute')),
  state       text        not null check (state in ('open', 'taken', 'returned')),
  amount      int8        not null check (amount > 0),
  -- When it was first seen, and in which place of those seen then.
  at          timestamptz not null,
  place       int4        not null,
  primary key (account_id, invoice_id, reversal_id),
  foreign key (account_id, invoice_id) references subscription_invoices
);
create index subscription_reversals_open on subscription_reversals (account_id) where state = 'open';

-- What each has taken of each month's credits, decided once: [[grant id, micro-credits], …].
create table subscription_reversal_draws (
  account_id  text not null,
  invoice_id  text not null,
  reversal_id text not null,
  -- The month's own grant.
  grant_id    text not null,
  draws       json not null,
  primary key (account_id, invoice_id, reversal_id, grant_id),
  foreign key (account_id, invoice_id, reversal_id) references subscription_reversals
);

grant select, insert, update on subscription_reversals to bursar_app;
grant select, insert on subscription_reversal_draws to bursar_app;
