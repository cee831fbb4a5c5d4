-- What models said, kept until what it was computed from changes.
CREATE SCHEMA caching;
GRANT USAGE ON SCHEMA caching TO rapport_server, rapport_system;

-- What entries depend on. A row is made when somebody first depends on it, under the lock of
-- the tenant's head, so that every commit after that finds it; and marked by each commit that
-- changes what it stands for.
CREATE TABLE caching.marks (
  tenant_id      uuid        NOT NULL,
  id             uuid        NOT NULL,
  -- What it stands for: a kind, a blank, and which one.
  name           text        NOT NULL COLLATE "C",
  -- The commit that last changed it; that before which it was made, if none has since.
  position       bigint      NOT NULL,
  changed_at     timestamptz,
  reason         text,
  invalidated_by text,

  CONSTRAINT pk_marks PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_marks_name UNIQUE (tenant_id, name),
  CONSTRAINT ck_marks_name CHECK (name LIKE '% %'),
  CONSTRAINT ck_marks_position CHECK (position >= 0)
);
-- What changed since servers looked last.
CREATE INDEX ix_marks_position ON caching.marks (tenant_id, position);

CREATE SEQUENCE caching.revisions;

-- The entries of both caches, one for each key.
CREATE TABLE caching.entries (
  tenant_id        uuid             NOT NULL,
  -- The beginning of the key's digest.
  id               uuid             NOT NULL,
  -- SHA-256 of the key.
  key_digest       bytea            NOT NULL,
  -- A CacheKey in protobuf's binary form, as is `info`, an EntryInfo.
  key              bytea            NOT NULL,
  cache            text             NOT NULL,
  user_id          uuid             NOT NULL,
  entry_type       text             NOT NULL COLLATE "C",
  project_id       text,
  value            bytea            NOT NULL,
  checksum         bytea            NOT NULL,
  info             bytea            NOT NULL,
  content_hash     text,
  -- What was committed when the computation began.
  read_position    bigint           NOT NULL,
  -- The marks that it depends on, and its own id: that of the mark by which its key is
  -- invalidated, which is made only then.
  marks            uuid[]           NOT NULL,
  expires_at       timestamptz      NOT NULL,
  refresh_after    timestamptz      NOT NULL,
  -- Greater at each change, also of an entry that was removed in between.
  revision         bigint           NOT NULL DEFAULT nextval('caching.revisions'),
  created_at       timestamptz      NOT NULL DEFAULT now(),
  updated_at       timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_entries PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_entries_user FOREIGN KEY (tenant_id, user_id)
    REFERENCES identity.users (tenant_id, id),
  CONSTRAINT ck_entries_key_digest CHECK (octet_length(key_digest) = 32),
  CONSTRAINT ck_entries_checksum CHECK (octet_length(checksum) = 32),
  CONSTRAINT ck_entries_cache CHECK (cache IN ('PREDICTION', 'ANALYSIS')),
  CONSTRAINT ck_entries_value CHECK (octet_length(value) <= 1048576),
  CONSTRAINT ck_entries_refresh CHECK (refresh_after <= expires_at),
  CONSTRAINT ck_entries_revision CHECK (revision > 0)
) WITH (fillfactor = 80);
-- What is a user's, for lists and to invalidate it.
CREATE INDEX ix_entries_user ON caching.entries (tenant_id, user_id, updated_at, id);
-- Lists.
CREATE INDEX ix_entries_updated ON caching.entries (tenant_id, cache, updated_at, id);
-- What was computed from a content.
CREATE INDEX ix_entries_content ON caching.entries (tenant_id, content_hash)
  WHERE content_hash IS NOT NULL;
-- What is too old to be kept.
CREATE INDEX ix_entries_expires ON caching.entries (expires_at);

-- Who computes what. Nothing is lost with them but the right to put what is being computed,
-- so they needn't outlive a crash.
CREATE SEQUENCE caching.lease_tokens;
CREATE UNLOGGED TABLE caching.leases (
  tenant_id     uuid        NOT NULL,
  entry_id      uuid        NOT NULL,
  id            uuid        NOT NULL,
  token         bigint      NOT NULL DEFAULT nextval('caching.lease_tokens'),
  user_id       uuid        NOT NULL,
  holder        text        NOT NULL,
  -- What was committed when it was given.
  read_position bigint      NOT NULL,
  expires_at    timestamptz NOT NULL,

  CONSTRAINT pk_leases PRIMARY KEY (tenant_id, entry_id)
) WITH (fillfactor = 70);
-- What is a user's, to invalidate it.
CREATE INDEX ix_leases_user ON caching.leases (tenant_id, user_id);

-- What somebody wants to be computed before it is needed, until it is put.
CREATE TABLE caching.warmups (
  tenant_id    uuid        NOT NULL,
  entry_id     uuid        NOT NULL,
  -- A CacheKey in protobuf's binary form.
  key          bytea       NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_warmups PRIMARY KEY (tenant_id, entry_id)
);
-- What has waited longest.
CREATE INDEX ix_warmups_requested ON caching.warmups (tenant_id, requested_at, entry_id);

-- The questions that analyses answer, for the nearest of a user's.
CREATE TABLE caching.questions (
  tenant_id       uuid         NOT NULL,
  entry_id        uuid         NOT NULL,
  user_id         uuid         NOT NULL,
  project_id      text         NOT NULL,
  entry_type      text         NOT NULL COLLATE "C",
  model_version   text         NOT NULL,
  embedding_model text         NOT NULL,
  embedding       public.vector(1536) NOT NULL,

  CONSTRAINT pk_questions PRIMARY KEY (tenant_id, entry_id),
  CONSTRAINT fk_questions_entry FOREIGN KEY (tenant_id, entry_id)
    REFERENCES caching.entries (tenant_id, id) ON DELETE CASCADE
);
-- FindSimilarAnalysis compares all that it finds here: a user has few.
CREATE INDEX ix_questions_user
  ON caching.questions (tenant_id, user_id, entry_type, model_version, project_id);

-- How entries were used: apart from them, because reads write it.
CREATE TABLE caching.entry_usage (
  tenant_id        uuid             NOT NULL,
  entry_id         uuid             NOT NULL,
  hit_count        bigint           NOT NULL DEFAULT 0,
  access_count     bigint           NOT NULL DEFAULT 0,
  last_accessed    timestamptz      NOT NULL,
  saved_ms         double precision NOT NULL DEFAULT 0,

  CONSTRAINT pk_entry_usage PRIMARY KEY (tenant_id, entry_id)
) WITH (fillfactor = 70);

-- How the caches do, by cache and type.
CREATE TABLE caching.type_usage (
  tenant_id     uuid             NOT NULL,
  cache         text             NOT NULL,
  entry_type    text             NOT NULL COLLATE "C",
  hits          bigint           NOT NULL DEFAULT 0,
  stale_hits    bigint           NOT NULL DEFAULT 0,
  misses        bigint           NOT NULL DEFAULT 0,
  puts          bigint           NOT NULL DEFAULT 0,
  leases_taken  bigint           NOT NULL DEFAULT 0,
  leases_lost   bigint           NOT NULL DEFAULT 0,
  generation_ms double precision NOT NULL DEFAULT 0,
  saved_ms      double precision NOT NULL DEFAULT 0,

  CONSTRAINT pk_type_usage PRIMARY KEY (tenant_id, cache, entry_type),
  CONSTRAINT ck_type_usage_cache CHECK (cache IN ('PREDICTION', 'ANALYSIS'))
) WITH (fillfactor = 50);

-- How long entries live that don't say so.
CREATE TABLE caching.cache_lifetimes (
  tenant_id        uuid        NOT NULL,
  id               uuid        NOT NULL,
  cache            text        NOT NULL,
  entry_type       text        NOT NULL COLLATE "C",
  lifetime_seconds bigint      NOT NULL,
  refresh_seconds  bigint,
  active           boolean     NOT NULL DEFAULT true,
  revision         bigint      NOT NULL DEFAULT 1,
  created_at       timestamptz NOT NULL DEFAULT now(),
  last_updated_at  timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_cache_lifetimes PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_cache_lifetimes_type UNIQUE (tenant_id, cache, entry_type),
  CONSTRAINT ck_cache_lifetimes_revision CHECK (revision > 0),
  CONSTRAINT ck_cache_lifetimes_cache CHECK (cache IN ('PREDICTION', 'ANALYSIS')),
  CONSTRAINT ck_cache_lifetimes_entry_type CHECK (char_length(entry_type) BETWEEN 1 AND 100),
  CONSTRAINT ck_cache_lifetimes_lifetime_seconds
    CHECK (lifetime_seconds BETWEEN 1 AND 315360000),
  CONSTRAINT ck_cache_lifetimes_refresh_seconds
    CHECK (refresh_seconds BETWEEN 0 AND lifetime_seconds)
);
-- These serve ListCacheLifetimes.
CREATE INDEX ix_cache_lifetimes_created ON caching.cache_lifetimes (tenant_id, created_at, id);
CREATE INDEX ix_cache_lifetimes_type ON caching.cache_lifetimes (tenant_id, entry_type, id);

-- Whether anything depends on anything. Volatile, as is the next: so they see what was
-- committed while the statement waited for the tenant's head.
CREATE FUNCTION caching.has_marks(tenant uuid) RETURNS boolean
  LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM caching.marks m WHERE m.tenant_id = tenant);
END $$;

-- Marks what a commit changed; returns the commit's number. The head must be locked.
CREATE FUNCTION caching.mark_changed(tenant uuid, number bigint, names text[]) RETURNS bigint
  LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  UPDATE caching.marks m
     SET position = number, changed_at = now(), reason = NULL, invalidated_by = NULL
   WHERE m.tenant_id = tenant AND m.name = ANY (names);
  RETURN number;
END $$;

ALTER TABLE caching.marks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE caching.entries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE caching.leases ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE caching.warmups ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE caching.questions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE caching.entry_usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE caching.type_usage ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE caching.cache_lifetimes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON caching.marks
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON caching.entries
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON caching.leases
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON caching.warmups
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON caching.questions
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON caching.entry_usage
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON caching.type_usage
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON caching.cache_lifetimes
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY recording ON caching.marks FOR SELECT
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY marking ON caching.marks FOR UPDATE
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY sweeping ON caching.marks TO rapport_system USING (true);
CREATE POLICY sweeping ON caching.entries TO rapport_system USING (true);
CREATE POLICY sweeping ON caching.leases TO rapport_system USING (true);
CREATE POLICY sweeping ON caching.entry_usage TO rapport_system USING (true);
GRANT SELECT, INSERT, UPDATE ON caching.marks TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON caching.entries TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON caching.leases TO rapport_server;
GRANT SELECT, INSERT, DELETE ON caching.warmups TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON caching.questions TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON caching.entry_usage TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON caching.type_usage TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON caching.cache_lifetimes TO rapport_server;
GRANT USAGE ON SEQUENCE caching.lease_tokens, caching.revisions TO rapport_server;
GRANT SELECT ON caching.marks TO rapport_system;
GRANT SELECT, DELETE ON caching.entries, caching.leases, caching.entry_usage TO rapport_system;
