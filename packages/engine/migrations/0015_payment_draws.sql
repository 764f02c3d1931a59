-- Which grants a refund or a lost dispute took its credits from, decided once: [[grant id, micro-credits], …].
alter table payment_refunds add column draws json not null default '[]';
alter table payment_disputes add column draws json;

-- Whether a dispute is open is read from the disputes themselves.
alter table topup_policies drop column disputes;

-- How far the provider's own list of events has been read.
create table payment_event_marks (
  mark    text        not null primary key,
  read_at timestamptz not null
);

create index payments_grant on payments (account_id, grant_id);
create index payment_events_parked on payment_events (received_at desc, event_id desc) where state = 'parked';
create index payment_events_old on payment_events (received_at) where state in ('done', 'ignored');

grant select, insert, update on payment_event_marks to bursar_app;
