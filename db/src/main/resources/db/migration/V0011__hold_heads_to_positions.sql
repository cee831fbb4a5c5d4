-- A write numbers its commit; up to where the log is kept, only the sweeper says.
REVOKE UPDATE ON platform.tenant_heads FROM rapport_server;
GRANT UPDATE (position) ON platform.tenant_heads TO rapport_server;
