DROP FUNCTION tracking.tenants_to_index();
DROP INDEX tracking.ix_event_properties_indexing;
ALTER TABLE tracking.event_properties DROP COLUMN indexed_to, DROP COLUMN indexed_to_id;
