-- What repeats a request must find, so that whoever got no answer hears the same.

-- Unused credits were asked back under another id while that was under way: both ids name the one request.
create table payment_refund_aliases (
  account_id text not null,
  payment_id text not null,
  request_id text not null,
  same_as    text not null,
  primary key (account_id, payment_id, request_id)
);

-- Saved methods that were removed here: at the provider nothing says any more whose they were.
create table payment_method_removals (
  account_id text        not null,
  method_id  text        not null,
  at         timestamptz not null,
  primary key (account_id, method_id)
);

grant select, insert on payment_refund_aliases, payment_method_removals to bursar_app;
