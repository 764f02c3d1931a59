-- When another process last asked for a prompt, instead of whether one ever did: a process that has asked and gone away
-- wants it no more.

alter table prompts add column wanted_at timestamptz;
alter table prompts drop column is_wanted;
