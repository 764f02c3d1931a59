-- Who asked for a refund, and why; null for one that was made at the provider itself.
alter table payment_refunds add column by text;
alter table payment_refunds add column reason text;
