-- Tells every process that something of an account has changed which is written outside the ledger, at the moment it is
-- committed. For rare rows only: a NOTIFY makes commits wait for one another, so the ledger's own never do this.

create function tell_account_changed() returns trigger language plpgsql as $$
begin
  perform pg_notify('bursar_changes',
    json_build_object('from', 'database', 'kind', 'changed', 'accountIds', json_build_array(new.account_id))::text);
  return null;
end
$$;

create trigger notices_push after insert or update on notices
  for each row execute function tell_account_changed();
