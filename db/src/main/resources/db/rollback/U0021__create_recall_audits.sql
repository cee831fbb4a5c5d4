DELETE FROM monitoring.anomaly_alerts WHERE cause = 'AUDIT';
ALTER TABLE monitoring.anomaly_alerts DROP CONSTRAINT ck_anomaly_alerts_cause;
ALTER TABLE monitoring.anomaly_alerts ADD CONSTRAINT ck_anomaly_alerts_cause
  CHECK (cause IN ('RAISED', 'DETECTION'));
DO $$
DECLARE
  graph text;
BEGIN
  FOR graph IN SELECT name FROM search.indexes() LOOP
    EXECUTE format('ALTER INDEX search.%I RESET (ef_construction)', graph);
  END LOOP;
END $$;
DROP FUNCTION search.indexes();
DROP TABLE search.recall_audits;
