DROP FUNCTION platform.may_write(uuid);
DROP FUNCTION platform.current_tenant();
DROP SCHEMA platform;
