REVOKE INSERT, UPDATE ON platform.requests FROM rapport_system;
REVOKE INSERT ON platform.tenant_heads, platform.change_log FROM rapport_system;
