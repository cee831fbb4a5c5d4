DROP FUNCTION versioning.changed_datasets(uuid, text[], uuid[]);
DROP FUNCTION caching.has_dataset_marks(uuid);

ALTER TABLE monitoring.anomaly_alerts DROP CONSTRAINT ck_anomaly_alerts_cause;
UPDATE monitoring.anomaly_alerts SET cause = 'RAISED' WHERE cause = 'PERFORMANCE';
ALTER TABLE monitoring.anomaly_alerts
  ADD CONSTRAINT ck_anomaly_alerts_cause CHECK (cause IN ('RAISED', 'DETECTION', 'AUDIT'));

ALTER TABLE versioning.model_training_events DROP CONSTRAINT ck_model_training_events_cause;
UPDATE versioning.model_training_events SET cause = 'ROLLBACK' WHERE cause = 'PERFORMANCE';
ALTER TABLE versioning.model_training_events
  ADD CONSTRAINT ck_model_training_events_cause
    CHECK (cause IN ('THRESHOLD', 'MANUAL', 'ROLLBACK'));

ALTER TABLE versioning.model_activations DROP COLUMN degraded_at;
