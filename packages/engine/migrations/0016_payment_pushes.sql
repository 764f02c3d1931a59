-- Purchases and top-ups are pushed whenever one changes, as notices are.

create trigger payments_push after insert or update on payments
  for each row execute function tell_account_changed();
