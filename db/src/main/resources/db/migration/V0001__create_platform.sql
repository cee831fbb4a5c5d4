-- What every area's tables stand on: who the current tenant is.
CREATE SCHEMA platform;
GRANT USAGE ON SCHEMA platform TO rapport_server, rapport_system;

-- The tenant that the transaction is bound to; NULL, and so no rows, without one.
CREATE FUNCTION platform.current_tenant() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('rapport.tenant', true), '')::uuid;
