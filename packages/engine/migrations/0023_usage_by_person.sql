-- Whose work it was: the person who called, or in whose caps its hold was counted; null: an API key's alone, or a record
-- of before there was this column.
alter table usage_records add column person_id text;
