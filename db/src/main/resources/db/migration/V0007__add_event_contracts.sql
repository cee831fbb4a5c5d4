-- What events must be like, type by type, and the events that are kept apart because they
-- are otherwise.

-- How a tenant's events are taken; no row: as the service does by itself. A change of
-- contracts counts here too, so that servers see by one row that there is something new.
CREATE TABLE tracking.tracking_settings (
  tenant_id     uuid        NOT NULL,
  unknown_types text        NOT NULL DEFAULT 'ACCEPT',
  revision      bigint      NOT NULL DEFAULT 1,
  -- Of the clock, not of the transaction's beginning: a server that looks for what is new
  -- looks back a minute only.
  changed_at    timestamptz NOT NULL DEFAULT clock_timestamp(),

  CONSTRAINT pk_tracking_settings PRIMARY KEY (tenant_id),
  CONSTRAINT ck_tracking_settings_unknown_types
    CHECK (unknown_types IN ('ACCEPT', 'REJECT', 'QUARANTINE')),
  CONSTRAINT ck_tracking_settings_revision CHECK (revision > 0)
);
-- What changed lately, of all tenants.
CREATE INDEX ix_tracking_settings_changed ON tracking.tracking_settings (changed_at);

-- The types that a tenant has contracts for, or has switched the service's own for.
CREATE TABLE tracking.contract_types (
  tenant_id      uuid    NOT NULL,
  event_type     text    NOT NULL COLLATE "C",
  id             uuid    NOT NULL,
  last_version   integer NOT NULL DEFAULT 0,
  -- The one in force; 0: the service's own; none: no contract is.
  active_version integer,
  revision       bigint  NOT NULL DEFAULT 1,

  CONSTRAINT pk_contract_types PRIMARY KEY (tenant_id, event_type),
  CONSTRAINT ck_contract_types_event_type CHECK (char_length(event_type) BETWEEN 1 AND 50),
  CONSTRAINT ck_contract_types_version CHECK (active_version BETWEEN 0 AND last_version)
);

-- Contracts, as they were put. They are never changed.
CREATE TABLE tracking.event_contracts (
  tenant_id  uuid        NOT NULL,
  event_type text        NOT NULL COLLATE "C",
  version    integer     NOT NULL,
  -- An EventContract in protobuf's binary form.
  definition bytea       NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_event_contracts PRIMARY KEY (tenant_id, event_type, version),
  CONSTRAINT fk_event_contracts_type FOREIGN KEY (tenant_id, event_type)
    REFERENCES tracking.contract_types (tenant_id, event_type),
  CONSTRAINT ck_event_contracts_version CHECK (version > 0)
);

-- Whole events that break a contract, as they were sent. Their users need not be there.
CREATE TABLE tracking.quarantined_events (
  tenant_id          uuid        NOT NULL,
  event_id           uuid        NOT NULL,
  event_type         text        NOT NULL COLLATE "C",
  user_id            uuid,
  identity_provider  text,
  identity_subject   text,
  event_data         jsonb,
  event_text         text,
  occurred_at        timestamptz,
  utc_offset_minutes smallint,
  received_at        timestamptz,
  quarantined_at     timestamptz NOT NULL DEFAULT now(),
  -- None: the type is unknown.
  contract_version   integer,
  violations         jsonb       NOT NULL,

  CONSTRAINT pk_quarantined_events PRIMARY KEY (tenant_id, event_id),
  CONSTRAINT ck_quarantined_events_event_type CHECK (char_length(event_type) BETWEEN 1 AND 50),
  CONSTRAINT ck_quarantined_events_user
    CHECK ((user_id IS NULL) = (identity_subject IS NOT NULL)
      AND (identity_provider IS NULL) = (identity_subject IS NULL)),
  CONSTRAINT ck_quarantined_events_event_data CHECK (jsonb_typeof(event_data) = 'object'),
  CONSTRAINT ck_quarantined_events_offset CHECK (utc_offset_minutes BETWEEN -1080 AND 1080),
  CONSTRAINT ck_quarantined_events_violations CHECK (jsonb_typeof(violations) = 'array')
);
-- ListQuarantinedEvents.
CREATE INDEX ix_quarantined_events_time
  ON tracking.quarantined_events (tenant_id, quarantined_at, event_id);
-- ListQuarantinedEvents by type.
CREATE INDEX ix_quarantined_events_type
  ON tracking.quarantined_events (tenant_id, event_type, quarantined_at, event_id);

-- What a recorded event breaks of the contract that it was judged by.
ALTER TABLE tracking.behavioral_events
  ADD COLUMN contract_version integer,
  ADD COLUMN violations jsonb,
  ADD CONSTRAINT ck_behavioral_events_violations CHECK (jsonb_typeof(violations) = 'array');

-- An id is also remembered of an event that waits in quarantine, or was discarded there.
ALTER TABLE tracking.event_ids
  DROP CONSTRAINT ck_event_ids_state,
  ADD CONSTRAINT ck_event_ids_state
    CHECK (state IN ('RECORDED', 'RETIRED', 'QUARANTINED', 'DISCARDED'));
GRANT UPDATE (state, recorded_at) ON tracking.event_ids TO rapport_server;

ALTER TABLE tracking.tracking_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE tracking.contract_types ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE tracking.event_contracts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE tracking.quarantined_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tracking.tracking_settings
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON tracking.contract_types
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON tracking.event_contracts
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON tracking.quarantined_events
  USING (tenant_id = (SELECT platform.current_tenant()));
-- Servers look which tenants' contracts have changed.
CREATE POLICY sweeping ON tracking.tracking_settings FOR SELECT TO rapport_system USING (true);
GRANT SELECT, INSERT, UPDATE ON tracking.tracking_settings TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON tracking.contract_types TO rapport_server;
GRANT SELECT, INSERT ON tracking.event_contracts TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON tracking.quarantined_events TO rapport_server;
GRANT SELECT ON tracking.tracking_settings TO rapport_system;
