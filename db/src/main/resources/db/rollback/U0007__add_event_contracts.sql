REVOKE UPDATE (state, recorded_at) ON tracking.event_ids FROM rapport_server;
-- What was quarantined or discarded is not recorded, and its ids are free again.
DELETE FROM tracking.event_ids WHERE state IN ('QUARANTINED', 'DISCARDED');
ALTER TABLE tracking.event_ids
  DROP CONSTRAINT ck_event_ids_state,
  ADD CONSTRAINT ck_event_ids_state CHECK (state IN ('RECORDED', 'RETIRED'));
ALTER TABLE tracking.behavioral_events
  DROP CONSTRAINT ck_behavioral_events_violations,
  DROP COLUMN violations,
  DROP COLUMN contract_version;
DROP TABLE tracking.quarantined_events;
DROP TABLE tracking.event_contracts;
DROP TABLE tracking.contract_types;
DROP TABLE tracking.tracking_settings;
