-- Credits may have been given for money that is only promised: noted before they are, so that whoever ends the payment
-- without the money takes them back, even where the process that gave them died before it could say so.
alter table payments add column lent boolean not null default false;
update payments set lent = true where state = 'granted';
