DROP FUNCTION tracking.ensure_event_partitions(integer);
DROP FUNCTION tracking.event_partition(timestamptz);
DROP FUNCTION tracking.typed_value(text, jsonb);
DROP TABLE tracking.event_property_values;
DROP TABLE tracking.event_properties;
DROP TABLE tracking.behavioral_events;
DROP TABLE tracking.event_ids;
DROP SCHEMA tracking;
