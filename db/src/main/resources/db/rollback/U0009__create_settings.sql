DROP TABLE identity.system_settings;
