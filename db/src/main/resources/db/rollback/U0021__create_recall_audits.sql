DELETE FROM monitoring.anomaly_alerts WHERE cause = 'AUDIT';
ALTER TABLE monitoring.anomaly_alerts DROP CONSTRAINT ck_anomaly_alerts_cause;
ALTER TABLE monitoring.anomaly_alerts ADD CONSTRAINT ck_anomaly_alerts_cause
  CHECK (cause IN ('RAISED', 'DETECTION'));
DROP FUNCTION search.indexes();
DROP TABLE search.recall_audits;
