-- The documents of what is dropped go first: nothing else knows which they are.
DELETE FROM search.stale_embeddings WHERE kind LIKE 'delivery.%';
DELETE FROM search.embedding_models WHERE kind LIKE 'delivery.%';
DO $$
DECLARE
  entity text;
BEGIN
  FOR entity IN SELECT tablename FROM pg_tables WHERE schemaname = 'delivery' LOOP
    EXECUTE format('DROP TABLE search.%I', 'delivery_' || entity || '_embeddings');
    EXECUTE format('ALTER TABLE search.documents DETACH PARTITION search.%I',
      'delivery_' || entity || '_documents');
    EXECUTE format('DROP TABLE search.%I', 'delivery_' || entity || '_documents');
    EXECUTE format('DROP FUNCTION search.%I() CASCADE', 'delivery_' || entity || '_inserted');
    EXECUTE format('DROP FUNCTION search.%I() CASCADE', 'delivery_' || entity || '_updated');
    EXECUTE format('DROP FUNCTION search.%I() CASCADE', 'delivery_' || entity || '_deleted');
  END LOOP;
END $$;
DROP SCHEMA delivery CASCADE;
