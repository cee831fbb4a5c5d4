-- Tenants, and within each the users and the names that other systems know them by.
CREATE SCHEMA identity;
GRANT USAGE ON SCHEMA identity TO rapport_server, rapport_system;

-- Tenants are seen across tenants, so only the system role sees them.
CREATE TABLE identity.tenants (
  id           uuid        NOT NULL,
  display_name text        NOT NULL,
  -- Keys the digests of events and signs the tenant's page tokens.
  secret       bytea       NOT NULL,
  created_at   timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_tenants PRIMARY KEY (id),
  CONSTRAINT uq_tenants_display_name UNIQUE (display_name),
  CONSTRAINT ck_tenants_display_name CHECK (char_length(display_name) BETWEEN 1 AND 200),
  CONSTRAINT ck_tenants_secret CHECK (octet_length(secret) = 32)
);
GRANT SELECT, INSERT ON identity.tenants TO rapport_system;

CREATE TABLE identity.users (
  tenant_id  uuid        NOT NULL,
  id         uuid        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_users PRIMARY KEY (tenant_id, id)
);

-- What another system calls a user. A link is never moved: that a user turned out to be
-- another one is an alias.
CREATE TABLE identity.identity_links (
  tenant_id  uuid        NOT NULL,
  provider   text        NOT NULL COLLATE "C",
  subject    text        NOT NULL COLLATE "C",
  user_id    uuid        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_identity_links PRIMARY KEY (tenant_id, provider, subject),
  CONSTRAINT fk_identity_links_user FOREIGN KEY (tenant_id, user_id)
    REFERENCES identity.users (tenant_id, id),
  CONSTRAINT ck_identity_links_provider CHECK (provider ~ '^[a-z][a-z0-9_.-]{0,49}$'),
  CONSTRAINT ck_identity_links_subject CHECK (char_length(subject) BETWEEN 1 AND 255)
);
-- Serves GetUser and fk_identity_links_user.
CREATE INDEX ix_identity_links_user ON identity.identity_links (tenant_id, user_id);

-- A user that turned out to be another. Never chained: the target is never an alias.
CREATE TABLE identity.user_aliases (
  tenant_id     uuid        NOT NULL,
  alias_user_id uuid        NOT NULL,
  user_id       uuid        NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_user_aliases PRIMARY KEY (tenant_id, alias_user_id),
  CONSTRAINT fk_user_aliases_alias FOREIGN KEY (tenant_id, alias_user_id)
    REFERENCES identity.users (tenant_id, id),
  CONSTRAINT fk_user_aliases_user FOREIGN KEY (tenant_id, user_id)
    REFERENCES identity.users (tenant_id, id),
  CONSTRAINT ck_user_aliases_self CHECK (alias_user_id <> user_id)
);
-- Serves every read by user (its aliases), and fk_user_aliases_user.
CREATE INDEX ix_user_aliases_user ON identity.user_aliases (tenant_id, user_id);

ALTER TABLE identity.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE identity.identity_links ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE identity.user_aliases ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON identity.users
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON identity.identity_links
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON identity.user_aliases
  USING (tenant_id = (SELECT platform.current_tenant()));
GRANT SELECT, INSERT ON identity.users TO rapport_server;
GRANT SELECT, INSERT ON identity.identity_links TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON identity.user_aliases TO rapport_server;
