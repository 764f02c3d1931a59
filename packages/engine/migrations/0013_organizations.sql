-- Organizations: people who work on credits that belong to none of them. The credits are an account like any other; who
-- may use how much of them is said here, and counted in the ledger.

create table organizations (
  organization_id   text        not null primary key,
  -- `acct_` and the organization's id.
  account_id        text        not null unique references accounts (account_id),
  name              text        not null,
  -- What newcomers may use; null: as much as there is.
  default_cap_day   int8,
  default_cap_month int8,
  default_cap_total int8,
  -- The alert that has been told last, in credits left; null: there is enough. It begins with nothing, which is no news.
  alert_level       int4        default 100,
  created_at        timestamptz not null,
  created_by        text        not null
);

create table organization_members (
  organization_id   text        not null references organizations (organization_id),
  person_id         text        not null,
  -- The person's own account: where notices go, and never what pays here.
  person_account_id text        not null,
  role              text        not null,
  cap_day           int8,
  cap_month         int8,
  cap_total         int8,
  joined_at         timestamptz not null,
  primary key (organization_id, person_id),
  constraint organization_members_role_is_known check (role in ('owner', 'admin', 'member')),
  constraint organization_members_caps_are_not_negative
    check (coalesce(cap_day, 0) >= 0 and coalesce(cap_month, 0) >= 0 and coalesce(cap_total, 0) >= 0)
);
-- Never two owners; that there is never none, every change of roles sees to under the organization's lock.
create unique index organization_members_owner on organization_members (organization_id) where role = 'owner';
create index organization_members_person on organization_members (person_id);

-- Of the token in the link only the hash is kept.
create table organization_invites (
  invite_id       text        not null primary key,
  organization_id text        not null references organizations (organization_id),
  email           text        not null,
  role            text        not null,
  token_hash      bytea       not null unique,
  created_at      timestamptz not null,
  created_by      text        not null,
  expires_at      timestamptz not null,
  accepted_at     timestamptz,
  accepted_by     text,
  revoked_at      timestamptz,
  constraint organization_invites_role_is_known check (role in ('admin', 'member')),
  constraint organization_invites_end_once check (accepted_at is null or revoked_at is null)
);
create index organization_invites_organization on organization_invites (organization_id, created_at desc);

-- Whose work a repository is, as `host/owner/name`. Several organizations may claim one: each pays for its own members.
create table organization_repositories (
  repository      text        not null,
  organization_id text        not null references organizations (organization_id),
  added_at        timestamptz not null,
  added_by        text        not null,
  primary key (repository, organization_id)
);
create index organization_repositories_organization on organization_repositories (organization_id);

-- Members who ask for a higher cap.
create table organization_requests (
  request_id      text        not null primary key,
  organization_id text        not null references organizations (organization_id),
  person_id       text        not null,
  cap_window      text        not null,
  amount          int8        not null,
  reason          text        not null,
  state           text        not null default 'open',
  approved_amount int8,
  created_at      timestamptz not null,
  decided_at      timestamptz,
  decided_by      text,
  constraint organization_requests_window_is_known check (cap_window in ('day', 'month', 'total')),
  constraint organization_requests_state_is_known check (state in ('open', 'approved', 'denied'))
);
-- One open request a member.
create unique index organization_requests_open on organization_requests (organization_id, person_id)
  where state = 'open';
create index organization_requests_newest on organization_requests (organization_id, created_at desc);

grant select, insert, update on organizations, organization_invites, organization_requests to bursar_app;
grant select, insert, update, delete on organization_members, organization_repositories to bursar_app;
