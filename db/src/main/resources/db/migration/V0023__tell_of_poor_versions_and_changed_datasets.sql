-- Active versions that do too badly while there is none to return to.
ALTER TABLE versioning.model_activations ADD COLUMN degraded_at timestamptz;

ALTER TABLE versioning.model_training_events
  DROP CONSTRAINT ck_model_training_events_cause,
  ADD CONSTRAINT ck_model_training_events_cause
    CHECK (cause IN ('THRESHOLD', 'MANUAL', 'ROLLBACK', 'PERFORMANCE'));

ALTER TABLE monitoring.anomaly_alerts
  DROP CONSTRAINT ck_anomaly_alerts_cause,
  ADD CONSTRAINT ck_anomaly_alerts_cause CHECK (cause IN ('RAISED', 'DETECTION', 'AUDIT', 'PERFORMANCE'));

-- Cached values that depend on datasets.

-- Whether anything depends on a dataset. Volatile, as is the next: so they see what was committed
-- while the statement waited for the tenant's head.
CREATE FUNCTION caching.has_dataset_marks(tenant uuid) RETURNS boolean
  LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM caching.marks m
                  WHERE m.tenant_id = tenant AND m.name >= 'DATASET ' AND m.name < 'DATASET!');
END $$;

-- The types of the datasets that events of these types feed, and of those that are named. Conditions
-- are not looked at: what is computed anew in vain is right, too.
CREATE FUNCTION versioning.changed_datasets(tenant uuid, types text[], datasets uuid[])
  RETURNS text[]
  LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  RETURN ARRAY(
    SELECT d.dataset_type FROM versioning.training_datasets d
     WHERE d.tenant_id = tenant AND (d.id = ANY (datasets) OR EXISTS (
       SELECT FROM versioning.dataset_sources s
        WHERE s.tenant_id = d.tenant_id AND s.dataset_id = d.id AND s.event_type = ANY (types))));
END $$;
