ALTER TABLE monitoring.prediction_log DROP CONSTRAINT ck_prediction_log_model_version;
ALTER TABLE monitoring.prediction_log
  ADD CONSTRAINT ck_prediction_log_model_version CHECK (char_length(model_version) <= 50);

DROP INDEX monitoring.ix_anomaly_alerts_created;
DROP INDEX monitoring.ix_anomaly_alerts_model;
DROP INDEX monitoring.ix_anomaly_alerts_unacknowledged;
CREATE INDEX ix_anomaly_alerts_seen ON monitoring.anomaly_alerts (tenant_id, last_seen_at, id);
CREATE INDEX ix_anomaly_alerts_model
  ON monitoring.anomaly_alerts (tenant_id, model_name, last_seen_at, id);
CREATE INDEX ix_anomaly_alerts_unacknowledged
  ON monitoring.anomaly_alerts (tenant_id, last_seen_at, id) WHERE NOT acknowledged;

DROP INDEX monitoring.ix_anomaly_alerts_unresolved;
CREATE UNIQUE INDEX ix_anomaly_alerts_unresolved
  ON monitoring.anomaly_alerts (tenant_id, fingerprint) WHERE state <> 'RESOLVED';
