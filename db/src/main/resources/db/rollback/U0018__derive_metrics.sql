DROP TABLE delivery.changed_meanings;
DROP VIEW delivery.status_meanings;

DROP TRIGGER documents_deleted ON tracking.behavioral_events;
DROP FUNCTION search.tracking_behavioral_events_deleted();
REVOKE INSERT (tenant_id, kind, id, content) ON search.documents FROM rapport_server;
DROP POLICY recording ON search.documents;
DELETE FROM search.stale_embeddings WHERE kind = 'tracking.behavioral_event';
DELETE FROM search.embedding_models WHERE kind = 'tracking.behavioral_event';
DROP TABLE search.tracking_behavioral_events_embeddings;
ALTER TABLE search.documents DETACH PARTITION search.tracking_behavioral_events_documents;
DROP TABLE search.tracking_behavioral_events_documents;

-- Documents become those of names alone while triggers still see to it.
UPDATE identity.tenants SET website = NULL, active = true WHERE website IS NOT NULL OR NOT active;
DROP TRIGGER documents_inserted ON identity.tenants;
DROP TRIGGER documents_updated ON identity.tenants;
DROP TRIGGER documents_deleted ON identity.tenants;
DROP FUNCTION search.identity_tenants_inserted(), search.identity_tenants_updated(),
  search.identity_tenants_deleted();
REVOKE UPDATE ON identity.tenants FROM rapport_system;
ALTER TABLE identity.tenants
  DROP COLUMN website,
  DROP COLUMN assets_folder,
  DROP COLUMN logo_filename,
  DROP COLUMN color_schema_mode,
  DROP COLUMN active,
  DROP COLUMN revision,
  DROP COLUMN last_updated_at;
SELECT search.follow('identity.tenants', 'identity.tenant', '{display_name}', 'r.id');

CREATE OR REPLACE FUNCTION search.attach(source regclass, kind text, text_columns name[],
    tenant text DEFAULT 'r.tenant_id') RETURNS void
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
  EXECUTE format('CREATE TABLE search.%I PARTITION OF search.documents FOR VALUES IN (%L)',
    partition || '_documents', kind);
  EXECUTE format('CREATE TABLE search.%I (LIKE search.embeddings INCLUDING DEFAULTS INCLUDING '
    'CONSTRAINTS INCLUDING STORAGE)', partition || '_embeddings');
  EXECUTE format('ALTER TABLE search.embeddings ATTACH PARTITION search.%I FOR VALUES IN (%L)',
    partition || '_embeddings', kind);
  EXECUTE format('CREATE INDEX %I ON search.%I USING hnsw (embedding public.halfvec_cosine_ops)',
    'idx_' || entity || '_embedding_hnsw', partition || '_embeddings');
  EXECUTE format(rows, source);

  EXECUTE format($sql$
    CREATE OR REPLACE FUNCTION search.%I() RETURNS trigger
      LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $body$
    BEGIN
      %s;
      RETURN NULL;
    END $body$ $sql$, partition || '_inserted', format(rows, 'written'));
  EXECUTE format('CREATE TRIGGER documents_inserted AFTER INSERT ON %s REFERENCING NEW TABLE AS '
    'written FOR EACH STATEMENT EXECUTE FUNCTION search.%I()', source, partition || '_inserted');

  EXECUTE format($sql$
    CREATE OR REPLACE FUNCTION search.%I() RETURNS trigger
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
    CREATE OR REPLACE FUNCTION search.%I() RETURNS trigger
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
END $$;
DROP FUNCTION search.follow(regclass, text, name[], text);
DROP FUNCTION search.attach_kind(text, text);
