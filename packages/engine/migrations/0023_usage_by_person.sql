-- Whose work it was: the person who called, or in whose caps its hold was counted; null: an API key's alone.
alter table usage_records add column person_id text;

update usage_records u set person_id = substr(e.by, 6)
from entries e
where e.account_id = u.account_id and e.seq = u.seq and e.by like 'user:%';
