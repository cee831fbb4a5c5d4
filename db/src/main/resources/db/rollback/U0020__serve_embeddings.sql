DROP FUNCTION search.hold_documents(uuid, text, uuid[]);
CREATE OR REPLACE FUNCTION search.mark_stale() RETURNS trigger
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
DROP INDEX search.ix_stale_embeddings_lease;
DROP INDEX search.ix_stale_embeddings_tried;
ALTER TABLE search.stale_embeddings DROP COLUMN retry_at;
DROP INDEX search.ix_embedding_models_id;
ALTER TABLE search.embedding_models
  DROP COLUMN removed_at,
  DROP COLUMN checked_at,
  DROP COLUMN filled_at,
  DROP COLUMN dimensions,
  DROP COLUMN revision,
  DROP COLUMN id;
