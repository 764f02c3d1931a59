-- People: who they are, how they prove it, and the tokens that say so. In a schema of its own, so that nothing here is
-- taken for the ledger's. The tables down to device_codes have the columns that better-auth writes, in snake case.
create schema identity;

create table identity.people (
  -- `user_…`; the credit account of a person is `acct_…` with the same tail.
  id                 text        not null primary key,
  name               text        not null,
  -- Both are kept in lower case.
  email              text        not null unique,
  username           text        unique,
  email_verified     boolean     not null default false,
  image              text,
  role               text        not null default 'user',
  two_factor_enabled boolean     not null default false,
  disabled           boolean     not null default false,
  created_at         timestamptz not null,
  updated_at         timestamptz not null,
  constraint people_role_is_known check (role in ('admin', 'supervisor', 'enduser', 'user'))
);

-- Signing in makes one. Everything that a sign-in has led to lives in it and ends with it.
create table identity.sessions (
  id         text        not null primary key,
  user_id    text        not null references identity.people (id) on delete cascade,
  token      text        not null unique,
  expires_at timestamptz not null,
  ip_address text,
  user_agent text,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index sessions_user on identity.sessions (user_id);
create index sessions_expiry on identity.sessions (expires_at);

-- Ways to sign in: a password (provider `credential`, scrypt), or an account at an OIDC provider.
create table identity.logins (
  id                       text        not null primary key,
  user_id                  text        not null references identity.people (id) on delete cascade,
  account_id               text        not null,
  provider_id              text        not null,
  access_token             text,
  refresh_token            text,
  id_token                 text,
  access_token_expires_at  timestamptz,
  refresh_token_expires_at timestamptz,
  scope                    text,
  password                 text,
  created_at               timestamptz not null,
  updated_at               timestamptz not null,
  unique (provider_id, account_id)
);
create index logins_user on identity.logins (user_id);

-- One-time secrets that are on their way: password resets, second steps, OIDC states.
create table identity.verifications (
  id         text        not null primary key,
  identifier text        not null,
  value      text        not null,
  expires_at timestamptz not null,
  created_at timestamptz not null,
  updated_at timestamptz not null
);
create index verifications_identifier on identity.verifications (identifier);
create index verifications_expiry on identity.verifications (expires_at);

create table identity.two_factors (
  id                        text    not null primary key,
  user_id                   text    not null unique references identity.people (id) on delete cascade,
  -- Both encrypted with a key derived from BURSAR_SECRET.
  secret                    text    not null,
  backup_codes              text    not null,
  verified                  boolean not null default true,
  failed_verification_count int4    not null default 0,
  locked_until              timestamptz
);

create table identity.device_codes (
  id               text        not null primary key,
  device_code      text        not null unique,
  user_code        text        not null unique,
  user_id          text        references identity.people (id) on delete cascade,
  expires_at       timestamptz not null,
  status           text        not null,
  last_polled_at   timestamptz,
  polling_interval int4,
  client_id        text,
  scope            text
);
create index device_codes_expiry on identity.device_codes (expires_at);

-- A code that was shown once opens nothing again: the primary key is what refuses it.
create table identity.used_codes (
  user_id    text        not null references identity.people (id) on delete cascade,
  code_hash  bytea       not null,
  expires_at timestamptz not null,
  primary key (user_id, code_hash)
);

-- The tokens of a session are its family: each is good for one refresh, and a second use of any ends the session.
create table identity.refresh_tokens (
  token_hash bytea       not null primary key,
  session_id text        not null references identity.sessions (id) on delete cascade,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at    timestamptz
);
create index refresh_tokens_session on identity.refresh_tokens (session_id);

-- Ed25519. The newest signs; all of them are published until the last token they signed has expired.
create table identity.signing_keys (
  kid         text        not null primary key,
  public_key  json        not null,
  -- AES-256-GCM under a key derived from BURSAR_SECRET.
  private_key bytea       not null,
  created_at  timestamptz not null
);

-- Failed sign-ins, by person and by address. float8, because the limiter counts milliseconds as plain numbers.
create table identity.attempts (
  key    text not null primary key,
  points int4 not null default 0,
  expire float8
);

grant usage on schema identity to bursar_app;
grant select, insert, update, delete on all tables in schema identity to bursar_app;
revoke update on identity.used_codes, identity.signing_keys from bursar_app;
