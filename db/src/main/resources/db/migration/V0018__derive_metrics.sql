-- What is worked out of what teams do, texts of events, and all that is said of a tenant.

ALTER TABLE identity.tenants
  ADD COLUMN website           text,
  ADD COLUMN assets_folder     text,
  ADD COLUMN logo_filename     text        NOT NULL DEFAULT 'default-logo.png',
  ADD COLUMN color_schema_mode text        NOT NULL DEFAULT 'DEFAULT',
  ADD COLUMN active            boolean     NOT NULL DEFAULT true,
  ADD COLUMN revision          bigint      NOT NULL DEFAULT 1,
  ADD COLUMN last_updated_at   timestamptz NOT NULL DEFAULT now(),
  ADD CONSTRAINT ck_tenants_website CHECK (char_length(website) <= 2048),
  ADD CONSTRAINT ck_tenants_assets_folder CHECK (char_length(assets_folder) <= 100),
  ADD CONSTRAINT ck_tenants_logo_filename CHECK (char_length(logo_filename) BETWEEN 1 AND 255),
  ADD CONSTRAINT ck_tenants_color_schema_mode CHECK (color_schema_mode IN ('DEFAULT', 'CUSTOM')),
  ADD CONSTRAINT ck_tenants_revision CHECK (revision > 0);
UPDATE identity.tenants SET last_updated_at = created_at;
GRANT UPDATE ON identity.tenants TO rapport_system;

-- Tenants are found by their website, too.
DROP TRIGGER documents_inserted ON identity.tenants;
DROP TRIGGER documents_updated ON identity.tenants;
DROP TRIGGER documents_deleted ON identity.tenants;
DROP FUNCTION search.identity_tenants_inserted(), search.identity_tenants_updated(),
  search.identity_tenants_deleted();
SELECT search.follow('identity.tenants', 'identity.tenant', '{display_name,website}', 'r.id');

-- Texts of events are documents if the contract of their type names a text. Who records an event
-- writes its document; see docs/adr/0006 for the policy.
SELECT search.attach_kind('tracking.behavioral_event', 'tracking_behavioral_events');
CREATE POLICY recording ON search.documents FOR INSERT
  WITH CHECK (kind = 'tracking.behavioral_event'
    AND tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
GRANT INSERT (tenant_id, kind, id, content) ON search.documents TO rapport_server;

-- An event that is removed takes its document along. Whoever drops a partition removes its rows
-- first.
CREATE FUNCTION search.tracking_behavioral_events_deleted() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM search.documents d USING gone r
   WHERE d.tenant_id = r.tenant_id AND d.kind = 'tracking.behavioral_event' AND d.id = r.id;
  RETURN NULL;
END $$;
REVOKE ALL ON FUNCTION search.tracking_behavioral_events_deleted() FROM PUBLIC;
CREATE TRIGGER documents_deleted AFTER DELETE ON tracking.behavioral_events
  REFERENCING OLD TABLE AS gone FOR EACH STATEMENT
  EXECUTE FUNCTION search.tracking_behavioral_events_deleted();

-- What a status means for an issue that is in it: by its mapping and the mapping's step of work.
-- Mappings and steps that aren't active count for nothing.
CREATE VIEW delivery.status_meanings WITH (security_invoker = true) AS
  SELECT s.tenant_id, s.id AS status_id,
         COALESCE(m.status_category, s.category) AS category,
         COALESCE(w.is_commitment_point, false) AS is_commitment_point,
         w.step_number,
         -- That of the workflow which the step is of.
         p.step_number AS commitment_number
    FROM delivery.statuses s
    LEFT JOIN delivery.status_mappings m
      ON m.tenant_id = s.tenant_id AND m.id = s.status_mapping_id AND m.active
    LEFT JOIN delivery.workflows w
      ON w.tenant_id = m.tenant_id AND w.id = m.workflow_id AND w.active
    LEFT JOIN delivery.workflows p
      ON p.tenant_id = w.tenant_id AND p.integration_id IS NOT DISTINCT FROM w.integration_id
     AND p.is_commitment_point AND p.active;
GRANT SELECT ON delivery.status_meanings TO rapport_server;

-- Statuses that mean something else since, and whose issues are being worked out anew: first the
-- changes out of the status, then those into it, each in the order in which they were made.
CREATE TABLE delivery.changed_meanings (
  tenant_id  uuid        NOT NULL,
  status_id  uuid        NOT NULL,
  changed_at timestamptz NOT NULL DEFAULT now(),
  inward     boolean     NOT NULL DEFAULT false,
  -- The last change that was looked at.
  after_at   timestamptz NOT NULL DEFAULT '-infinity',
  after_id   uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',

  CONSTRAINT pk_changed_meanings PRIMARY KEY (tenant_id, status_id),
  CONSTRAINT fk_changed_meanings_status FOREIGN KEY (tenant_id, status_id)
    REFERENCES delivery.statuses (tenant_id, id) ON DELETE CASCADE
);
ALTER TABLE delivery.changed_meanings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON delivery.changed_meanings
  USING (tenant_id = (SELECT platform.current_tenant()));
-- Servers look for what is left to do.
CREATE POLICY sweeping ON delivery.changed_meanings FOR SELECT TO rapport_system USING (true);
GRANT SELECT, INSERT, UPDATE, DELETE ON delivery.changed_meanings TO rapport_server;
GRANT SELECT ON delivery.changed_meanings TO rapport_system;
