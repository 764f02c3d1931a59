-- How much of a month's own grant was gone before this was decided: taken before refunds were kept one by one, or by an
-- administrator. It is not taken again.
alter table subscription_reversal_draws add column already int8 not null default 0 check (already >= 0);

-- What was paid back before refunds were kept one by one, as one: it counts until the provider says which they were.
insert into subscription_reversals (account_id, invoice_id, reversal_id, kind, state, amount, at, place)
select account_id, invoice_id, 'before', 'refund', 'taken', taken_back, coalesce(paid_at, created_at), 0
from subscription_invoices i
where taken_back > 0 and not exists (
  select from subscription_reversals r where r.account_id = i.account_id and r.invoice_id = i.invoice_id
);
