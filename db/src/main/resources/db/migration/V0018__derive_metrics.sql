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

-- A kind of entity that can be found: where its documents and vectors lie. Documents of a kind
-- without a table that is watched are written by what makes the entities.
CREATE FUNCTION search.attach_kind(kind text, partition text) RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  entity text := substr(partition, strpos(partition, '_') + 1);
BEGIN
  EXECUTE format('CREATE TABLE search.%I PARTITION OF search.documents FOR VALUES IN (%L)',
    partition || '_documents', kind);
  EXECUTE format('CREATE TABLE search.%I (LIKE search.embeddings INCLUDING DEFAULTS INCLUDING '
    'CONSTRAINTS INCLUDING STORAGE)', partition || '_embeddings');
  EXECUTE format('ALTER TABLE search.embeddings ATTACH PARTITION search.%I FOR VALUES IN (%L)',
    partition || '_embeddings', kind);
  EXECUTE format('CREATE INDEX %I ON search.%I USING hnsw (embedding public.halfvec_cosine_ops)',
    'idx_' || entity || '_embedding_hnsw', partition || '_embeddings');
END $$;

-- Has documents follow the rows of a table, from now on, by triggers. Its functions have their
-- owner's rights: a row that its policy let pass has a tenant already, and documents follow it.
-- It returns the statement that makes the rows of %s documents.
CREATE FUNCTION search.follow(source regclass, kind text, text_columns name[],
    tenant text DEFAULT 'r.tenant_id') RETURNS text
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  entity text := (SELECT relname FROM pg_class WHERE oid = source);
  area text := (SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.oid = source);
  partition text := area || '_' || entity;
  content text := (SELECT format('left(concat_ws(E''\n'', %s), 32768)',
      string_agg(format('NULLIF(btrim(r.%I::text), '''')', c), ', ' ORDER BY n))
    FROM unnest(text_columns) WITH ORDINALITY AS t (c, n));
  has_active boolean := EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = source AND attname = 'active' AND NOT attisdropped);
  active text := CASE WHEN has_active THEN 'r.active' ELSE 'true' END;
  watched name[] := CASE WHEN has_active THEN text_columns || 'active'::name ELSE text_columns END;
  rows text := format($sql$
    INSERT INTO search.documents (tenant_id, kind, id, content)
    SELECT %s, %L, r.id, %s FROM %%s r WHERE %s AND %s <> ''$sql$,
    tenant, kind, content, active, content);
BEGIN
  EXECUTE format($sql$
    CREATE FUNCTION search.%I() RETURNS trigger
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    BEGIN
      %s;
      RETURN NULL;
    END $body$ $sql$, partition || '_inserted', format(rows, 'written'));
  EXECUTE format('CREATE TRIGGER documents_inserted AFTER INSERT ON %s REFERENCING NEW TABLE AS '
    'written FOR EACH STATEMENT EXECUTE FUNCTION search.%I()', source, partition || '_inserted');

  EXECUTE format($sql$
    CREATE FUNCTION search.%I() RETURNS trigger
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    DECLARE
      r record := NEW;
      text_now text := CASE WHEN %s THEN %s ELSE '' END;
    BEGIN
      IF text_now = '' THEN
        DELETE FROM search.documents d WHERE d.tenant_id = %s AND d.kind = %L AND d.id = r.id;
      ELSE
        INSERT INTO search.documents AS d (tenant_id, kind, id, content)
        VALUES (%s, %L, r.id, text_now)
        ON CONFLICT (tenant_id, kind, id) DO UPDATE
          SET content = EXCLUDED.content, changed_at = now()
          WHERE d.content <> EXCLUDED.content;
      END IF;
      RETURN NULL;
    END $body$ $sql$, partition || '_updated', active, content, tenant, kind, tenant, kind);
  EXECUTE format('CREATE TRIGGER documents_updated AFTER UPDATE ON %s FOR EACH ROW WHEN (%s) '
    'EXECUTE FUNCTION search.%I()', source,
    (SELECT string_agg(format('OLD.%1$I IS DISTINCT FROM NEW.%1$I', c), ' OR ')
       FROM unnest(watched) AS c), partition || '_updated');

  EXECUTE format($sql$
    CREATE FUNCTION search.%I() RETURNS trigger
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    BEGIN
      DELETE FROM search.documents d USING gone r
       WHERE d.tenant_id = %s AND d.kind = %L AND d.id = r.id;
      RETURN NULL;
    END $body$ $sql$, partition || '_deleted', tenant, kind);
  EXECUTE format('CREATE TRIGGER documents_deleted AFTER DELETE ON %s REFERENCING OLD TABLE AS '
    'gone FOR EACH STATEMENT EXECUTE FUNCTION search.%I()', source, partition || '_deleted');

  EXECUTE format('REVOKE ALL ON FUNCTION search.%I(), search.%I(), search.%I() FROM PUBLIC',
    partition || '_inserted', partition || '_updated', partition || '_deleted');
  RETURN rows;
END $$;

-- Makes the rows of a table documents, those that are there and those that come; see V0016.
CREATE OR REPLACE FUNCTION search.attach(source regclass, kind text, text_columns name[],
    tenant text DEFAULT 'r.tenant_id') RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM search.attach_kind(kind, (SELECT nspname || '_' || relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = source));
  EXECUTE format(search.follow(source, kind, text_columns, tenant), source);
END $$;
REVOKE ALL ON FUNCTION search.attach_kind(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION search.follow(regclass, text, name[], text) FROM PUBLIC;

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
