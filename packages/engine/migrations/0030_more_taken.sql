-- A refund or dispute that found nothing left to take takes the rest of its own when what others had taken comes again.
grant update (draws) on subscription_reversal_draws to bursar_app;
