-- A commit may record events of several tenants: those that the transaction names. It may add
-- their events and do nothing else with them; reading stays with the one tenant of a call.

-- The tenants that the transaction records for; none without the setting.
CREATE FUNCTION platform.recording_tenants() RETURNS uuid[]
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN string_to_array(NULLIF(current_setting('rapport.tenants', true), ''), ',')::uuid[];

-- Asked for each row: so a search in the text, and not in an array made of it each time.
CREATE OR REPLACE FUNCTION platform.may_write(tenant_id uuid) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN current_user <> 'rapport_server'
    OR COALESCE(tenant_id = NULLIF(current_setting('rapport.tenant', true), '')::uuid, false)
    OR COALESCE(strpos(current_setting('rapport.tenants', true), tenant_id::text) > 0, false);

-- To insert ids is to read them, for what is taken.
CREATE POLICY recording ON tracking.event_ids
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY recording ON tracking.event_properties FOR SELECT
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY recording ON tracking.behavioral_events FOR INSERT
  WITH CHECK (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY recording ON tracking.event_property_values FOR INSERT
  WITH CHECK (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
