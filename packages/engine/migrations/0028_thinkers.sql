-- Models that were seen to bill what they do not show: known to every process, also after its start.
create table thinkers (
  model   text        primary key,
  seen_at timestamptz not null
);

grant select, insert, update on thinkers to bursar_app;
