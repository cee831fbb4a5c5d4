-- Settings of the tenant's applications.
CREATE TABLE identity.system_settings (
  tenant_id       uuid        NOT NULL,
  id              uuid        NOT NULL,
  setting_key     text        NOT NULL COLLATE "C",
  setting_value   text        NOT NULL,
  setting_type    text        NOT NULL DEFAULT 'STRING',
  description     text,
  active          boolean     NOT NULL DEFAULT true,
  revision        bigint      NOT NULL DEFAULT 1,
  created_at      timestamptz NOT NULL DEFAULT now(),
  last_updated_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_system_settings PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_system_settings_key UNIQUE (tenant_id, setting_key),
  CONSTRAINT ck_system_settings_revision CHECK (revision > 0),
  CONSTRAINT ck_system_settings_setting_key CHECK (char_length(setting_key) BETWEEN 1 AND 255),
  CONSTRAINT ck_system_settings_setting_value CHECK (char_length(setting_value) <= 65536),
  CONSTRAINT ck_system_settings_setting_type
    CHECK (setting_type IN ('STRING', 'INTEGER', 'BOOLEAN', 'DECIMAL', 'JSON')),
  CONSTRAINT ck_system_settings_description CHECK (char_length(description) <= 10000)
);
-- These serve ListSystemSettings.
CREATE INDEX ix_system_settings_created ON identity.system_settings (tenant_id, created_at, id);
CREATE INDEX ix_system_settings_key ON identity.system_settings (tenant_id, setting_key, id);

ALTER TABLE identity.system_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON identity.system_settings
  USING (tenant_id = (SELECT platform.current_tenant()));
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.system_settings TO rapport_server;
