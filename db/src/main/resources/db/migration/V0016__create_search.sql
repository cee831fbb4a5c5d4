-- Texts of entities and their vectors, by which they are found.
CREATE SCHEMA search;
GRANT USAGE ON SCHEMA search TO rapport_server, rapport_system;

-- Immutable, so that a generated column may call it: a database's encoding never changes.
CREATE FUNCTION search.content_hash(content text) RETURNS bytea
  LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
  RETURN sha256(convert_to(content, 'UTF8'));

-- The text of each entity that can be found. Triggers on the entities' tables keep it in the
-- commit that writes the entity (search.attach): an entity that is not active, or has no text,
-- has no document. What no tenant owns is kept under the nil UUID.
CREATE TABLE search.documents (
  tenant_id    uuid        NOT NULL,
  -- What the change log calls the entity, such as `delivery.issue`.
  kind         text        NOT NULL COLLATE "C",
  id           uuid        NOT NULL,
  content      text        NOT NULL,
  content_hash bytea       NOT NULL GENERATED ALWAYS AS (search.content_hash(content)) STORED,
  words        tsvector    NOT NULL
    GENERATED ALWAYS AS (to_tsvector('pg_catalog.english', content)) STORED,
  changed_at   timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_documents PRIMARY KEY (tenant_id, kind, id),
  CONSTRAINT ck_documents_content CHECK (char_length(content) BETWEEN 1 AND 32768)
) PARTITION BY LIST (kind);

-- Which models' vectors a tenant has of a kind of entity. Searches go by those of the ACTIVE one;
-- those of the COMING one are made beside them until they take their place.
CREATE TABLE search.embedding_models (
  tenant_id   uuid        NOT NULL,
  kind        text        NOT NULL COLLATE "C",
  model       text        NOT NULL COLLATE "C",
  state       text        NOT NULL,
  created_at  timestamptz NOT NULL DEFAULT now(),
  switched_at timestamptz,

  CONSTRAINT pk_embedding_models PRIMARY KEY (tenant_id, kind, model),
  CONSTRAINT ck_embedding_models_model CHECK (char_length(model) BETWEEN 1 AND 200),
  CONSTRAINT ck_embedding_models_state CHECK (state IN ('ACTIVE', 'COMING', 'RETIRED'))
);
CREATE UNIQUE INDEX ix_embedding_models_active
  ON search.embedding_models (tenant_id, kind) WHERE state = 'ACTIVE';
CREATE UNIQUE INDEX ix_embedding_models_coming
  ON search.embedding_models (tenant_id, kind) WHERE state = 'COMING';

-- Vectors of unit length, by entity and model (docs/adr/0013: why beside the entities' rows, and
-- why halves). One is stale when its document's hash is another.
CREATE TABLE search.embeddings (
  tenant_id    uuid          NOT NULL,
  kind         text          NOT NULL COLLATE "C",
  id           uuid          NOT NULL,
  model        text          NOT NULL COLLATE "C",
  -- Of the text that it was made from.
  content_hash bytea         NOT NULL,
  embedding    halfvec(1536) NOT NULL,
  embedded_at  timestamptz   NOT NULL DEFAULT now(),

  CONSTRAINT pk_embeddings PRIMARY KEY (tenant_id, kind, id, model),
  CONSTRAINT fk_embeddings_document FOREIGN KEY (tenant_id, kind, id)
    REFERENCES search.documents (tenant_id, kind, id) ON DELETE CASCADE,
  CONSTRAINT ck_embeddings_model CHECK (char_length(model) BETWEEN 1 AND 200),
  CONSTRAINT ck_embeddings_content_hash CHECK (octet_length(content_hash) = 32)
) PARTITION BY LIST (kind);
ALTER TABLE search.embeddings ALTER COLUMN embedding SET STORAGE PLAIN;

-- What is to be embedded: documents without a vector of a model that is active or coming, or with
-- one of an older text.
CREATE TABLE search.stale_embeddings (
  tenant_id    uuid        NOT NULL,
  kind         text        NOT NULL COLLATE "C",
  id           uuid        NOT NULL,
  model        text        NOT NULL COLLATE "C",
  marked_at    timestamptz NOT NULL DEFAULT now(),
  -- Of whoever embeds it; none while nobody does. A change of the text ends it.
  lease_id     uuid,
  leased_until timestamptz,
  attempts     integer     NOT NULL DEFAULT 0,
  -- Why it couldn't be embedded when that was last tried.
  failure      text,

  CONSTRAINT pk_stale_embeddings PRIMARY KEY (tenant_id, kind, id, model),
  CONSTRAINT fk_stale_embeddings_document FOREIGN KEY (tenant_id, kind, id)
    REFERENCES search.documents (tenant_id, kind, id) ON DELETE CASCADE,
  CONSTRAINT ck_stale_embeddings_lease CHECK ((lease_id IS NULL) = (leased_until IS NULL)),
  CONSTRAINT ck_stale_embeddings_attempts CHECK (attempts >= 0),
  CONSTRAINT ck_stale_embeddings_failure CHECK (char_length(failure) <= 1000)
);
-- ClaimStale and ListStale: the oldest first.
CREATE INDEX ix_stale_embeddings_marked
  ON search.stale_embeddings (tenant_id, kind, model, marked_at, id);

-- A document that is new or has another text makes work for the models in use.
CREATE FUNCTION search.mark_stale() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO search.stale_embeddings AS s (tenant_id, kind, id, model)
  SELECT w.tenant_id, w.kind, w.id, m.model
    FROM written w JOIN search.embedding_models m USING (tenant_id, kind)
   WHERE m.state <> 'RETIRED'
   ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, kind, id, model) DO UPDATE
    SET marked_at = now(), lease_id = NULL, leased_until = NULL, attempts = 0, failure = NULL;
  RETURN NULL;
END $$;
CREATE TRIGGER stale_inserted AFTER INSERT ON search.documents
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION search.mark_stale();
CREATE TRIGGER stale_updated AFTER UPDATE ON search.documents
  REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION search.mark_stale();

-- A kind of entity that can be found: where its documents and vectors lie. Documents of a kind
-- without a table that is watched are written by what makes the entities. Graphs are built with more
-- care than pgvector does by itself: they find more in the same time (docs/adr/0016).
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
  EXECUTE format('CREATE INDEX %I ON search.%I USING hnsw (embedding public.halfvec_cosine_ops) '
    'WITH (ef_construction = 128)',
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

-- Makes the rows of a table documents, those that are there and those that come: their text is what
-- the columns hold, line by line, up to 32,768 characters. The migration that makes a table that can
-- be searched calls it, with the columns that the message's option `embedding_text` names. The
-- tenant is an expression over the row, r.
CREATE FUNCTION search.attach(source regclass, kind text, text_columns name[],
    tenant text DEFAULT 'r.tenant_id') RETURNS void
  LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM search.attach_kind(kind, (SELECT nspname || '_' || relname
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = source));
  EXECUTE format(search.follow(source, kind, text_columns, tenant), source);
END $$;
REVOKE ALL ON FUNCTION search.attach_kind(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION search.follow(regclass, text, name[], text) FROM PUBLIC;
REVOKE ALL ON FUNCTION search.attach(regclass, text, name[], text) FROM PUBLIC;
REVOKE ALL ON FUNCTION search.mark_stale() FROM PUBLIC;

SELECT search.attach('identity.tenants', 'identity.tenant', '{display_name}', 'r.id');
SELECT search.attach('identity.users', 'identity.user', '{first_name,last_name,email}');
SELECT search.attach('identity.user_permissions', 'identity.user_permission', '{resource,action}');
SELECT search.attach('identity.sign_ins', 'identity.sign_in', '{user_agent}');
SELECT search.attach('identity.system_settings', 'identity.system_setting',
  '{setting_key,description}');
SELECT search.attach('monitoring.ai_learning_memory', 'monitoring.learning_memory',
  '{user_intent,failed_query,specific_issue,suggested_fix}');

ALTER TABLE search.documents ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE search.embedding_models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE search.embeddings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE search.stale_embeddings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON search.documents
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON search.embedding_models
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON search.embeddings
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON search.stale_embeddings
  USING (tenant_id = (SELECT platform.current_tenant()));
-- What no tenant owns, every tenant may find.
CREATE POLICY everybody ON search.documents FOR SELECT
  USING (tenant_id = '00000000-0000-0000-0000-000000000000');
CREATE POLICY everybody ON search.embedding_models FOR SELECT
  USING (tenant_id = '00000000-0000-0000-0000-000000000000');
CREATE POLICY everybody ON search.embeddings FOR SELECT
  USING (tenant_id = '00000000-0000-0000-0000-000000000000');
-- What is no tenant's is embedded by the system.
CREATE POLICY system ON search.documents FOR SELECT TO rapport_system USING (true);
CREATE POLICY system ON search.embedding_models TO rapport_system USING (true);
CREATE POLICY system ON search.embeddings TO rapport_system USING (true);
CREATE POLICY system ON search.stale_embeddings TO rapport_system USING (true);
GRANT SELECT ON search.documents TO rapport_server, rapport_system;
GRANT SELECT, INSERT, UPDATE, DELETE
  ON search.embedding_models, search.embeddings, search.stale_embeddings
  TO rapport_server, rapport_system;
