-- Where the indexing of the older events by a property has got to: it goes on from there, in
-- whichever server.
ALTER TABLE tracking.event_properties
  ADD COLUMN indexed_to    timestamptz NOT NULL DEFAULT 'epoch',
  ADD COLUMN indexed_to_id uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000';

-- Serves tenants_to_index; all but empty.
CREATE INDEX ix_event_properties_indexing
  ON tracking.event_properties (tenant_id) WHERE state = 'INDEXING';

-- The tenants with properties that are not indexed yet. It is all that the system role learns of
-- properties: what is indexed, the server reads and writes as the tenant.
CREATE FUNCTION tracking.tenants_to_index() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT DISTINCT tenant_id FROM tracking.event_properties WHERE state = 'INDEXING';
END;
REVOKE ALL ON FUNCTION tracking.tenants_to_index() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tracking.tenants_to_index() TO rapport_system;
