DROP FUNCTION platform.current_tenant();
DROP SCHEMA platform;
