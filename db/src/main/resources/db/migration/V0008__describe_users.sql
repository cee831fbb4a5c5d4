-- Users with all that applications keep of them, what single users may do, and their sign-ins.

ALTER TABLE identity.users
  ADD COLUMN revision                bigint      NOT NULL DEFAULT 1,
  ADD COLUMN last_updated_at         timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN active                  boolean     NOT NULL DEFAULT true,
  ADD COLUMN email                   text COLLATE "C",
  -- By which emails are compared: without regard to the case of A to Z. A column, because an
  -- index on an expression isn't used under row-level security.
  ADD COLUMN email_key               text COLLATE "C" GENERATED ALWAYS AS (lower(email)) STORED,
  -- Argon2id; nobody reads it but the one who verifies.
  ADD COLUMN password_hash           text,
  ADD COLUMN first_name              text,
  ADD COLUMN last_name               text,
  ADD COLUMN phone_number            text,
  ADD COLUMN date_of_birth           date,
  ADD COLUMN role                    text        NOT NULL DEFAULT 'USER',
  ADD COLUMN is_admin                boolean     NOT NULL DEFAULT false,
  ADD COLUMN auth_provider           text        NOT NULL DEFAULT 'LOCAL',
  ADD COLUMN okta_user_id            text COLLATE "C",
  ADD COLUMN theme_mode              text        NOT NULL DEFAULT 'LIGHT',
  ADD COLUMN high_contrast_mode      boolean     NOT NULL DEFAULT false,
  ADD COLUMN reduce_motion           boolean     NOT NULL DEFAULT false,
  ADD COLUMN colorblind_safe_palette boolean     NOT NULL DEFAULT false,
  ADD COLUMN accessibility_level     text        NOT NULL DEFAULT 'REGULAR',
  ADD COLUMN profile_image_filename  text,
  ADD COLUMN onboarding_completed    boolean     NOT NULL DEFAULT false,
  ADD COLUMN last_login_at           timestamptz,
  ADD CONSTRAINT uq_users_email UNIQUE (tenant_id, email_key),
  ADD CONSTRAINT uq_users_okta_user_id UNIQUE (tenant_id, okta_user_id),
  ADD CONSTRAINT ck_users_revision CHECK (revision > 0),
  ADD CONSTRAINT ck_users_email CHECK (char_length(email) BETWEEN 3 AND 255),
  ADD CONSTRAINT ck_users_first_name CHECK (char_length(first_name) <= 100),
  ADD CONSTRAINT ck_users_last_name CHECK (char_length(last_name) <= 100),
  ADD CONSTRAINT ck_users_phone_number CHECK (char_length(phone_number) <= 20),
  ADD CONSTRAINT ck_users_role CHECK (role IN ('ADMIN', 'USER', 'VIEW')),
  ADD CONSTRAINT ck_users_auth_provider CHECK (auth_provider IN ('LOCAL', 'OKTA', 'FIREBASE')),
  ADD CONSTRAINT ck_users_okta_user_id CHECK (char_length(okta_user_id) <= 255),
  ADD CONSTRAINT ck_users_theme_mode CHECK (theme_mode IN ('LIGHT', 'DARK')),
  ADD CONSTRAINT ck_users_accessibility_level
    CHECK (accessibility_level IN ('REGULAR', 'AA', 'AAA')),
  ADD CONSTRAINT ck_users_profile_image_filename
    CHECK (char_length(profile_image_filename) <= 255);
-- Serves ListUsers in both orders.
CREATE INDEX ix_users_created ON identity.users (tenant_id, created_at, id);
GRANT UPDATE ON identity.users TO rapport_server;

-- An id of its own for each link, so that it can be listed and told of as other entities are.
ALTER TABLE identity.identity_links
  ADD COLUMN id              uuid        NOT NULL DEFAULT gen_random_uuid(),
  ADD COLUMN revision        bigint      NOT NULL DEFAULT 1,
  ADD COLUMN last_updated_at timestamptz NOT NULL DEFAULT now(),
  ADD COLUMN active          boolean     NOT NULL DEFAULT true,
  ADD CONSTRAINT uq_identity_links_id UNIQUE (tenant_id, id);
-- Serves ListIdentityLinks in both orders.
CREATE INDEX ix_identity_links_created ON identity.identity_links (tenant_id, created_at, id);

CREATE TABLE identity.user_permissions (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  resource        text        NOT NULL COLLATE "C",
  action          text        NOT NULL COLLATE "C",
  granted         boolean     NOT NULL DEFAULT true,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_user_permissions PRIMARY KEY (tenant_id, id),
  -- Serves CheckPermission, and fk_user_permissions_user.
  CONSTRAINT uq_user_permissions_key UNIQUE (tenant_id, user_id, resource, action),
  CONSTRAINT fk_user_permissions_user FOREIGN KEY (tenant_id, user_id)
    REFERENCES identity.users (tenant_id, id),
  CONSTRAINT ck_user_permissions_revision CHECK (revision > 0),
  CONSTRAINT ck_user_permissions_resource CHECK (char_length(resource) BETWEEN 1 AND 100),
  CONSTRAINT ck_user_permissions_action CHECK (char_length(action) BETWEEN 1 AND 50)
);
-- Serves ListUserPermissions in both orders.
CREATE INDEX ix_user_permissions_created
  ON identity.user_permissions (tenant_id, created_at, id);

CREATE TABLE identity.sign_ins (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  user_id         uuid        NOT NULL,
  -- SHA-256 of the token, in hexadecimal digits.
  token_hash      text        NOT NULL COLLATE "C",
  expires_at      timestamptz NOT NULL,
  ip_address      text,
  user_agent      text,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_sign_ins PRIMARY KEY (tenant_id, id),
  -- Serves CheckSignIn.
  CONSTRAINT uq_sign_ins_token UNIQUE (tenant_id, token_hash),
  CONSTRAINT fk_sign_ins_user FOREIGN KEY (tenant_id, user_id)
    REFERENCES identity.users (tenant_id, id),
  CONSTRAINT ck_sign_ins_revision CHECK (revision > 0),
  CONSTRAINT ck_sign_ins_token_hash CHECK (token_hash ~ '^[0-9a-f]{64}$'),
  CONSTRAINT ck_sign_ins_ip_address CHECK (char_length(ip_address) <= 45)
);
-- Serves SignOutAll, ListSignIns of a user, and fk_sign_ins_user.
CREATE INDEX ix_sign_ins_user ON identity.sign_ins (tenant_id, user_id, created_at);
-- These serve ListSignIns.
CREATE INDEX ix_sign_ins_created ON identity.sign_ins (tenant_id, created_at, id);
CREATE INDEX ix_sign_ins_expires ON identity.sign_ins (tenant_id, expires_at, id);

ALTER TABLE identity.user_permissions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE identity.sign_ins ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON identity.user_permissions
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON identity.sign_ins
  USING (tenant_id = (SELECT platform.current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.user_permissions TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON identity.sign_ins TO rapport_server;
