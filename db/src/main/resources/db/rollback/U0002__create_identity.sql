DROP TABLE identity.user_aliases;
DROP TABLE identity.identity_links;
DROP TABLE identity.users;
DROP TABLE identity.tenants;
DROP SCHEMA identity;
