-- What every area's tables stand on: who the current tenant is.
CREATE SCHEMA platform;
GRANT USAGE ON SCHEMA platform TO rapport_server, rapport_system;

-- The tenant that the transaction is bound to; NULL, and so no rows, without one.
CREATE FUNCTION platform.current_tenant() RETURNS uuid
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN NULLIF(current_setting('rapport.tenant', true), '')::uuid;

-- Whether the server's role may write rows of a tenant: those that the transaction is bound to.
-- Tables into which the server copies carry it as a constraint, because COPY is refused where a
-- policy would have to hold. Others than the server (owner, restore) are not asked.
CREATE FUNCTION platform.may_write(tenant_id uuid) RETURNS boolean
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN current_user <> 'rapport_server'
    OR COALESCE(tenant_id = NULLIF(current_setting('rapport.tenant', true), '')::uuid, false);
