DROP POLICY recording ON tracking.event_property_values;
DROP POLICY recording ON tracking.behavioral_events;
DROP POLICY recording ON tracking.event_properties;
DROP POLICY recording ON tracking.event_ids;

CREATE OR REPLACE FUNCTION platform.may_write(tenant_id uuid) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN current_user <> 'rapport_server'
    OR COALESCE(tenant_id = NULLIF(current_setting('rapport.tenant', true), '')::uuid, false);

DROP FUNCTION platform.recording_tenants();
