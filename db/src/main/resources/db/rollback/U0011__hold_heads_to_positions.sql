REVOKE UPDATE (position) ON platform.tenant_heads FROM rapport_server;
GRANT UPDATE ON platform.tenant_heads TO rapport_server;
