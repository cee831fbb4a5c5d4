-- What names an alert is its model's: the same of another model is another alert.
DROP INDEX monitoring.ix_anomaly_alerts_unresolved;
CREATE UNIQUE INDEX ix_anomaly_alerts_unresolved
  ON monitoring.anomaly_alerts (tenant_id, model_name, fingerprint) WHERE state <> 'RESOLVED';

-- Lists go by when alerts were made, which stays; when they were last seen does not.
DROP INDEX monitoring.ix_anomaly_alerts_seen;
DROP INDEX monitoring.ix_anomaly_alerts_model;
DROP INDEX monitoring.ix_anomaly_alerts_unacknowledged;
CREATE INDEX ix_anomaly_alerts_created ON monitoring.anomaly_alerts (tenant_id, created_at, id);
CREATE INDEX ix_anomaly_alerts_model
  ON monitoring.anomaly_alerts (tenant_id, model_name, created_at, id);
CREATE INDEX ix_anomaly_alerts_unacknowledged
  ON monitoring.anomaly_alerts (tenant_id, created_at, id) WHERE NOT acknowledged;

-- As long as the registry's.
ALTER TABLE monitoring.prediction_log DROP CONSTRAINT ck_prediction_log_model_version;
ALTER TABLE monitoring.prediction_log
  ADD CONSTRAINT ck_prediction_log_model_version CHECK (char_length(model_version) <= 64);
