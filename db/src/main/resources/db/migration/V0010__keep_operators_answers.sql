-- An operator's write keeps its answer as any other does, in the operator's own tenant.
GRANT INSERT, UPDATE ON platform.requests TO rapport_system;
GRANT INSERT ON platform.tenant_heads, platform.change_log TO rapport_system;
