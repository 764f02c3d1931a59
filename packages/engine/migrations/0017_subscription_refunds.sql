-- How much of an invoice was paid back or lost in a dispute, in the currency's minor unit.
alter table subscription_invoices add column taken_back int8 not null default 0 check (taken_back >= 0);
