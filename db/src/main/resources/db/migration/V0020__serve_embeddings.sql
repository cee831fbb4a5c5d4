-- What the service of embeddings needs beside texts and vectors.

-- A model has an id and a revision, by which the change log knows it. What a model that is started
-- finds is marked as stale (filled_at), in the background once more for what was being written then
-- (checked_at); and so is removed what one leaves behind (removed_at).
ALTER TABLE search.embedding_models
  ADD COLUMN id         uuid    NOT NULL DEFAULT gen_random_uuid(),
  ADD COLUMN revision   bigint  NOT NULL DEFAULT 1,
  -- How many numbers its vectors have; they are kept with zeros after them.
  ADD COLUMN dimensions integer NOT NULL DEFAULT 1536,
  ADD COLUMN filled_at  timestamptz,
  ADD COLUMN checked_at timestamptz,
  ADD COLUMN removed_at timestamptz,
  ADD CONSTRAINT ck_embedding_models_dimensions CHECK (dimensions BETWEEN 1 AND 1536);
CREATE UNIQUE INDEX ix_embedding_models_id ON search.embedding_models (tenant_id, id);

-- When work on a text that failed can be claimed again.
ALTER TABLE search.stale_embeddings
  ADD COLUMN retry_at timestamptz NOT NULL DEFAULT '-infinity';
-- ClaimStaleEmbeddings: what can be tried still.
CREATE INDEX ix_stale_embeddings_tried
  ON search.stale_embeddings (tenant_id, kind, model, marked_at, id) WHERE attempts < 5;
-- RenewEmbeddingClaim and what ends a claim.
CREATE INDEX ix_stale_embeddings_lease
  ON search.stale_embeddings (tenant_id, kind, lease_id) WHERE lease_id IS NOT NULL;

CREATE OR REPLACE FUNCTION search.mark_stale() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  INSERT INTO search.stale_embeddings AS s (tenant_id, kind, id, model)
  SELECT w.tenant_id, w.kind, w.id, m.model
    FROM written w JOIN search.embedding_models m USING (tenant_id, kind)
   WHERE m.state <> 'RETIRED'
   ORDER BY 1, 2, 3, 4
  ON CONFLICT (tenant_id, kind, id, model) DO UPDATE
    SET marked_at = now(), lease_id = NULL, leased_until = NULL, attempts = 0, failure = NULL,
      retry_at = '-infinity';
  RETURN NULL;
END $$;

-- The hashes of documents that nobody is writing, held as they are until the transaction ends.
-- Others are passed over rather than waited for, so that who writes vectors never waits for who
-- writes texts. It has its owner's rights because the server may not write documents, and
-- PostgreSQL lets only those lock rows that may.
CREATE FUNCTION search.hold_documents(tenant uuid, kind text, ids uuid[])
  RETURNS TABLE (id uuid, content_hash bytea)
  LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$
    SELECT d.id, d.content_hash FROM search.documents d
     WHERE d.tenant_id = hold_documents.tenant AND d.kind = hold_documents.kind
       AND d.id = ANY (hold_documents.ids)
       AND hold_documents.tenant
         IN (platform.current_tenant(), '00000000-0000-0000-0000-000000000000')
     ORDER BY d.id FOR SHARE OF d SKIP LOCKED
  $$;
REVOKE ALL ON FUNCTION search.hold_documents(uuid, text, uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search.hold_documents(uuid, text, uuid[])
  TO rapport_server, rapport_system;
