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
