-- Every commit of a tenant has a number, what changed in it an entry, and a write that named
-- a request its answer.

-- The number of the tenant's last commit. Its row is the last that a write locks, so that
-- numbers come without a gap and in the order of the commits.
CREATE TABLE platform.tenant_heads (
  tenant_id uuid   NOT NULL,
  position  bigint NOT NULL,
  -- Entries up to this one are no longer kept.
  trimmed_to bigint NOT NULL DEFAULT 0,

  CONSTRAINT pk_tenant_heads PRIMARY KEY (tenant_id),
  CONSTRAINT ck_tenant_heads_position CHECK (position > 0),
  CONSTRAINT ck_tenant_heads_trimmed CHECK (trimmed_to BETWEEN 0 AND position)
) WITH (fillfactor = 20);

-- What changed in each commit. Events have one entry for all that a commit recorded of them.
CREATE TABLE platform.change_log (
  tenant_id  uuid        NOT NULL,
  position   bigint      NOT NULL,
  ordinal    integer     NOT NULL,
  kind       text        NOT NULL COLLATE "C",
  op         text        NOT NULL,
  -- Of one entity; none for events.
  entity_id  uuid,
  user_id    uuid,
  revision   bigint,
  row_count  integer     NOT NULL DEFAULT 1,
  -- With `changed_at` it finds the events: their recorded_at and batch.
  batch      bigint,
  changed_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_change_log PRIMARY KEY (tenant_id, position, ordinal),
  CONSTRAINT ck_change_log_op CHECK (op IN ('RECORDED', 'CREATED', 'UPDATED', 'DELETED')),
  CONSTRAINT ck_change_log_row_count CHECK (row_count > 0)
);
-- What is too old to be kept.
CREATE INDEX ix_change_log_changed ON platform.change_log (changed_at);

-- Writes that named a request, and what they were answered.
CREATE TABLE platform.requests (
  tenant_id  uuid        NOT NULL,
  subject    text        NOT NULL COLLATE "C",
  request_id uuid        NOT NULL,
  -- Of the RPC and what was asked for.
  digest     bytea       NOT NULL,
  -- Both are set by the transaction that makes the row: nobody sees it without them.
  answer     bytea,
  position   bigint,
  created_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_requests PRIMARY KEY (tenant_id, subject, request_id),
  CONSTRAINT ck_requests_digest CHECK (octet_length(digest) = 32)
) WITH (fillfactor = 70);
-- What is too old to be kept.
CREATE INDEX ix_requests_created ON platform.requests (created_at);

-- Which transaction recorded an event: with recorded_at, what its entry in the log says.
ALTER TABLE tracking.behavioral_events ADD COLUMN batch bigint NOT NULL DEFAULT 0;

-- When a user was last heard of, by what happened and not by when it was sent; to the minute.
CREATE TABLE identity.user_activity (
  tenant_id        uuid        NOT NULL,
  user_id          uuid        NOT NULL,
  last_activity_at timestamptz NOT NULL,

  CONSTRAINT pk_user_activity PRIMARY KEY (tenant_id, user_id)
) WITH (fillfactor = 50);

ALTER TABLE platform.tenant_heads ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE platform.change_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE platform.requests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE identity.user_activity ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON platform.tenant_heads
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON platform.change_log
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON platform.requests
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON identity.user_activity
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY recording ON platform.tenant_heads
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY recording ON platform.change_log FOR INSERT
  WITH CHECK (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY recording ON identity.user_activity
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY sweeping ON platform.tenant_heads TO rapport_system USING (true);
CREATE POLICY sweeping ON platform.change_log TO rapport_system USING (true);
CREATE POLICY sweeping ON platform.requests TO rapport_system USING (true);
GRANT SELECT, INSERT, UPDATE ON platform.tenant_heads TO rapport_server;
GRANT SELECT, INSERT ON platform.change_log TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON platform.requests TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON identity.user_activity TO rapport_server;
GRANT SELECT, UPDATE ON platform.tenant_heads TO rapport_system;
GRANT SELECT, DELETE ON platform.change_log, platform.requests TO rapport_system;
