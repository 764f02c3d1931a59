-- Which expiries an account has been told about: the nearest of 30, 7 and 1 days ahead so far, a grant a row.
create table expiry_notices (
  account_id text        not null,
  grant_id   text        not null,
  told_days  int2        not null,
  expires_at timestamptz not null,
  primary key (account_id, grant_id)
);
-- For forgetting those that are over.
create index expiry_notices_over on expiry_notices (expires_at);

grant select, insert, update, delete on expiry_notices to bursar_app;
