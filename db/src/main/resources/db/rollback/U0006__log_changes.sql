DROP TABLE identity.user_activity;
ALTER TABLE tracking.behavioral_events DROP COLUMN batch;
DROP TABLE platform.requests;
DROP TABLE platform.change_log;
DROP TABLE platform.tenant_heads;
