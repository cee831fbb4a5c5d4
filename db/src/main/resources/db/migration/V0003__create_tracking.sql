-- Events, the permanent memory of their ids, and the properties they are filtered by.
CREATE SCHEMA tracking;
GRANT USAGE ON SCHEMA tracking TO rapport_server, rapport_system;

-- Every id that was ever recorded, and the digest of what was recorded under it. It
-- outlives the events' partitions.
CREATE TABLE tracking.event_ids (
  tenant_id   uuid        NOT NULL,
  event_id    uuid        NOT NULL,
  digest      bytea       NOT NULL,
  recorded_at timestamptz NOT NULL,
  state       text        NOT NULL DEFAULT 'RECORDED',

  CONSTRAINT pk_event_ids PRIMARY KEY (tenant_id, event_id),
  CONSTRAINT ck_event_ids_digest CHECK (octet_length(digest) = 32),
  CONSTRAINT ck_event_ids_state CHECK (state IN ('RECORDED', 'RETIRED'))
);

-- No foreign key leads to users: it would cost a look-up per event, and users are never
-- deleted while they have events.
CREATE TABLE tracking.behavioral_events (
  tenant_id          uuid        NOT NULL,
  id                 uuid        NOT NULL,
  user_id            uuid        NOT NULL,
  event_type         text        NOT NULL COLLATE "C",
  event_data         jsonb,
  event_text         text,
  occurred_at        timestamptz NOT NULL,
  utc_offset_minutes smallint,
  received_at        timestamptz,
  recorded_at        timestamptz NOT NULL,

  CONSTRAINT pk_behavioral_events PRIMARY KEY (tenant_id, id, recorded_at),
  CONSTRAINT ck_behavioral_events_event_type CHECK (char_length(event_type) BETWEEN 1 AND 50),
  CONSTRAINT ck_behavioral_events_event_data CHECK (jsonb_typeof(event_data) = 'object'),
  CONSTRAINT ck_behavioral_events_offset CHECK (utc_offset_minutes BETWEEN -1080 AND 1080),
  CONSTRAINT ck_behavioral_events_tenant CHECK (platform.may_write(tenant_id))
) PARTITION BY RANGE (recorded_at);
-- ListEvents and CountEvents by user.
CREATE INDEX idx_behavioral_events_user_id
  ON tracking.behavioral_events (tenant_id, user_id, occurred_at, id);
-- ListEvents and CountEvents by type.
CREATE INDEX idx_behavioral_events_event_type
  ON tracking.behavioral_events (tenant_id, event_type, occurred_at, id);
-- ListEvents and CountEvents by time, each clock its own.
CREATE INDEX idx_behavioral_events_timestamp
  ON tracking.behavioral_events (tenant_id, occurred_at, id);
CREATE INDEX ix_behavioral_events_received
  ON tracking.behavioral_events (tenant_id, received_at, id);
CREATE INDEX ix_behavioral_events_recorded
  ON tracking.behavioral_events (tenant_id, recorded_at, id);
-- ListEvents and CountEvents by user and type.
CREATE INDEX idx_behavioral_events_user_type_time
  ON tracking.behavioral_events (tenant_id, user_id, event_type, occurred_at, id);

-- Properties of event_data that a tenant filters and counts by.
CREATE TABLE tracking.event_properties (
  tenant_id  uuid        NOT NULL,
  id         uuid        NOT NULL,
  name       text        NOT NULL COLLATE "C",
  type       text        NOT NULL,
  state      text        NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_event_properties PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_event_properties_name UNIQUE (tenant_id, name),
  CONSTRAINT ck_event_properties_name CHECK (char_length(name) BETWEEN 1 AND 200),
  CONSTRAINT ck_event_properties_type CHECK (type IN ('STRING', 'NUMBER', 'BOOLEAN')),
  CONSTRAINT ck_event_properties_state CHECK (state IN ('INDEXING', 'READY'))
);

-- The values of declared properties, one row for each event that has one.
CREATE TABLE tracking.event_property_values (
  tenant_id     uuid             NOT NULL,
  property_id   uuid             NOT NULL,
  event_id      uuid             NOT NULL,
  occurred_at   timestamptz      NOT NULL,
  recorded_at   timestamptz      NOT NULL,
  text_value    text             COLLATE "C",
  number_value  double precision,
  boolean_value boolean,

  CONSTRAINT pk_event_property_values
    PRIMARY KEY (tenant_id, property_id, event_id, recorded_at),
  CONSTRAINT fk_event_property_values_property FOREIGN KEY (tenant_id, property_id)
    REFERENCES tracking.event_properties (tenant_id, id),
  CONSTRAINT ck_event_property_values_one
    CHECK (num_nonnulls(text_value, number_value, boolean_value) = 1)
) PARTITION BY RANGE (recorded_at);
-- ListEvents and CountEvents by the value of a property, one index for each type.
CREATE INDEX ix_event_property_values_text
  ON tracking.event_property_values (tenant_id, property_id, text_value, occurred_at, event_id)
  WHERE text_value IS NOT NULL;
CREATE INDEX ix_event_property_values_number
  ON tracking.event_property_values (tenant_id, property_id, number_value, occurred_at, event_id)
  WHERE number_value IS NOT NULL;
CREATE INDEX ix_event_property_values_boolean
  ON tracking.event_property_values (tenant_id, property_id, boolean_value, occurred_at, event_id)
  WHERE boolean_value IS NOT NULL;

-- The value of a property if it has the property's type: no row or one.
CREATE FUNCTION tracking.typed_value(type text, value jsonb)
  RETURNS TABLE (text_value text, number_value double precision, boolean_value boolean)
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
  SELECT CASE WHEN type = 'STRING' THEN value #>> '{}' END,
         CASE WHEN type = 'NUMBER' THEN (value #>> '{}')::double precision END,
         CASE WHEN type = 'BOOLEAN' THEN (value #>> '{}')::boolean END
   WHERE (type = 'STRING' AND jsonb_typeof(value) = 'string' AND char_length(value #>> '{}') <= 200)
      OR (type = 'NUMBER' AND jsonb_typeof(value) = 'number')
      OR (type = 'BOOLEAN' AND jsonb_typeof(value) = 'boolean');
END;

-- The partition of behavioral_events for what is recorded at a time.
CREATE FUNCTION tracking.event_partition(recorded_at timestamptz) RETURNS text
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN 'behavioral_events_' || to_char(recorded_at AT TIME ZONE 'UTC', 'YYYYMM');

-- Makes the monthly partitions from this month on that are missing. It is all that the
-- service may do to the schema. The server may copy into partitions of events, where
-- ck_behavioral_events_tenant holds it to its tenant, and may do nothing else to them.
CREATE FUNCTION tracking.ensure_event_partitions(months_ahead integer) RETURNS integer
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  parent text;
  month  timestamptz;
  child  text;
  made   integer := 0;
BEGIN
  IF months_ahead NOT BETWEEN 0 AND 24 THEN
    RAISE EXCEPTION 'months_ahead must be 0 to 24' USING ERRCODE = '22023';
  END IF;
  PERFORM pg_advisory_xact_lock(hashtextextended('tracking.ensure_event_partitions', 0));
  FOREACH parent IN ARRAY ARRAY['behavioral_events', 'event_property_values'] LOOP
    FOR n IN 0 .. months_ahead LOOP
      month := (date_trunc('month', now() AT TIME ZONE 'UTC') + make_interval(months => n))
        AT TIME ZONE 'UTC';
      child := parent || to_char(month AT TIME ZONE 'UTC', '"_"YYYYMM');
      CONTINUE WHEN to_regclass(format('tracking.%I', child)) IS NOT NULL;
      -- Attaching locks the parent less than creating in place: reads and writes go on.
      EXECUTE format('CREATE TABLE tracking.%I (LIKE tracking.%I INCLUDING ALL)', child, parent);
      EXECUTE format('ALTER TABLE tracking.%I ATTACH PARTITION tracking.%I FOR VALUES FROM (%L) TO (%L)',
        parent, child, month,
        ((month AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC');
      IF parent = 'behavioral_events' THEN
        EXECUTE format('GRANT INSERT ON tracking.%I TO rapport_server', child);
      END IF;
      made := made + 1;
    END LOOP;
  END LOOP;
  RETURN made;
END $$;
REVOKE ALL ON FUNCTION tracking.ensure_event_partitions(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION tracking.ensure_event_partitions(integer) TO rapport_system;

ALTER TABLE tracking.event_ids ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE tracking.behavioral_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE tracking.event_properties ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE tracking.event_property_values ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON tracking.event_ids
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON tracking.behavioral_events
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON tracking.event_properties
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON tracking.event_property_values
  USING (tenant_id = (SELECT platform.current_tenant()));
GRANT SELECT, INSERT ON tracking.event_ids TO rapport_server;
GRANT SELECT, INSERT ON tracking.behavioral_events TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON tracking.event_properties TO rapport_server;
GRANT SELECT, INSERT ON tracking.event_property_values TO rapport_server;
