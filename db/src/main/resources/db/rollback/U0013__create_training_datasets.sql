DROP TRIGGER begin_with_datasets ON identity.tenants;
DROP FUNCTION platform.log_change(uuid, bigint, text, text, uuid, bigint);
DROP SCHEMA versioning CASCADE;
