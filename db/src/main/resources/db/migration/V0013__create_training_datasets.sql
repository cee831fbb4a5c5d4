-- What models are trained on: which events make up a dataset, how many have come, how good they
-- are, and what exactly a training saw.
CREATE SCHEMA versioning;
GRANT USAGE ON SCHEMA versioning TO rapport_server, rapport_system;

-- Rows of this table and of dataset_counts are locked only by who holds the tenant's head.
CREATE TABLE versioning.training_datasets (
  tenant_id             uuid             NOT NULL,
  id                    uuid             NOT NULL,
  dataset_type          text             NOT NULL COLLATE "C",
  built_in              boolean          NOT NULL DEFAULT false,
  threshold             bigint           NOT NULL,
  quality_bound         double precision NOT NULL DEFAULT 0.7,
  completeness_weight   double precision NOT NULL DEFAULT 0.4,
  consistency_weight    double precision NOT NULL DEFAULT 0.3,
  validity_weight       double precision NOT NULL DEFAULT 0.3,
  -- How many of the last events an assessment looks at; 0: all.
  sample_size           bigint           NOT NULL DEFAULT 1000,
  -- Properties of the events' data; none: all at its top.
  features              text[]           NOT NULL DEFAULT '{}',
  -- Greater with each change of the sources.
  sources_revision      bigint           NOT NULL DEFAULT 1,
  threshold_reached     boolean          NOT NULL DEFAULT false,
  is_ready_for_training boolean          NOT NULL DEFAULT false,
  data_quality_score    double precision,
  last_trained_at       timestamptz,
  revision              bigint           NOT NULL DEFAULT 1,
  created_at            timestamptz      NOT NULL DEFAULT now(),
  updated_at            timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_training_datasets PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_training_datasets_type UNIQUE (tenant_id, dataset_type),
  CONSTRAINT ck_training_datasets_type CHECK (char_length(dataset_type) BETWEEN 1 AND 50),
  CONSTRAINT ck_training_datasets_threshold CHECK (threshold > 0),
  CONSTRAINT ck_training_datasets_quality_bound CHECK (quality_bound BETWEEN 0 AND 1),
  CONSTRAINT ck_training_datasets_weights
    CHECK (completeness_weight >= 0 AND consistency_weight >= 0 AND validity_weight >= 0),
  CONSTRAINT ck_training_datasets_sample_size CHECK (sample_size >= 0),
  CONSTRAINT ck_training_datasets_ready CHECK (threshold_reached OR NOT is_ready_for_training),
  CONSTRAINT ck_training_datasets_score CHECK (data_quality_score BETWEEN 0 AND 1),
  CONSTRAINT ck_training_datasets_revision CHECK (revision > 0)
);
-- These serve ListTrainingDatasets; by type, uq_training_datasets_type does.
CREATE INDEX idx_training_datasets_ready
  ON versioning.training_datasets (tenant_id, is_ready_for_training, dataset_type);
CREATE INDEX idx_training_datasets_threshold
  ON versioning.training_datasets (tenant_id, threshold_reached, dataset_type);
CREATE INDEX idx_training_datasets_last_training
  ON versioning.training_datasets (tenant_id, last_trained_at, id);
-- What there is of them, for watches.
CREATE INDEX ix_training_datasets_updated
  ON versioning.training_datasets (tenant_id, updated_at, id);

-- The events that feed a dataset: a type, and what their data must be like.
CREATE TABLE versioning.dataset_sources (
  tenant_id  uuid  NOT NULL,
  dataset_id uuid  NOT NULL,
  event_type text  NOT NULL COLLATE "C",
  -- All must hold: objects with `path`, an array of texts, and `values`, one of which it has.
  conditions jsonb NOT NULL DEFAULT '[]',

  CONSTRAINT pk_dataset_sources PRIMARY KEY (tenant_id, dataset_id, event_type),
  CONSTRAINT fk_dataset_sources_dataset FOREIGN KEY (tenant_id, dataset_id)
    REFERENCES versioning.training_datasets (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT ck_dataset_sources_event_type CHECK (char_length(event_type) BETWEEN 1 AND 50),
  CONSTRAINT ck_dataset_sources_conditions CHECK (jsonb_typeof(conditions) = 'array')
);
-- What events of a type feed.
CREATE INDEX ix_dataset_sources_type
  ON versioning.dataset_sources (tenant_id, event_type, dataset_id);

-- What has come since the last training. Apart from the dataset, because events write it; and
-- written only under the lock of the tenant's head, so that nobody waits for it.
CREATE TABLE versioning.dataset_counts (
  tenant_id          uuid    NOT NULL,
  dataset_id         uuid    NOT NULL,
  data_count         bigint  NOT NULL DEFAULT 0,
  -- What the last training had: events recorded until then by the transactions visible in the
  -- snapshot are not counted any more.
  since_at           timestamptz,
  since_snapshot     text,
  -- The count doesn't fit the sources, and is made anew.
  recount            boolean NOT NULL DEFAULT false,
  -- Quality is to be assessed now.
  due                boolean NOT NULL DEFAULT false,
  -- The count at which quality is assessed again.
  next_assessment_at bigint,

  CONSTRAINT pk_dataset_counts PRIMARY KEY (tenant_id, dataset_id),
  CONSTRAINT fk_dataset_counts_dataset FOREIGN KEY (tenant_id, dataset_id)
    REFERENCES versioning.training_datasets (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT ck_dataset_counts_data_count CHECK (data_count >= 0),
  CONSTRAINT ck_dataset_counts_since CHECK ((since_at IS NULL) = (since_snapshot IS NULL))
) WITH (fillfactor = 10);
-- Serves tenants_with_work; all but empty.
CREATE INDEX ix_dataset_counts_work
  ON versioning.dataset_counts (tenant_id, dataset_id) WHERE due OR recount;

-- What assessments found.
CREATE TABLE versioning.data_quality_metrics (
  tenant_id            uuid             NOT NULL,
  id                   uuid             NOT NULL,
  training_dataset_id  uuid             NOT NULL,
  completeness_score   double precision NOT NULL,
  consistency_score    double precision NOT NULL,
  validity_score       double precision NOT NULL,
  overall_score        double precision NOT NULL,
  anomaly_count        bigint           NOT NULL DEFAULT 0,
  duplicate_count      bigint           NOT NULL DEFAULT 0,
  missing_values_count bigint           NOT NULL DEFAULT 0,
  record_count         bigint           NOT NULL DEFAULT 0,
  field_count          bigint           NOT NULL DEFAULT 0,
  -- The fields of a DataQualityMetrics in protobuf's binary form.
  report               bytea            NOT NULL,
  revision             bigint           NOT NULL DEFAULT 1,
  assessed_at          timestamptz      NOT NULL DEFAULT now(),
  created_at           timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_data_quality_metrics PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_data_quality_metrics_dataset FOREIGN KEY (tenant_id, training_dataset_id)
    REFERENCES versioning.training_datasets (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT ck_data_quality_metrics_completeness CHECK (completeness_score BETWEEN 0 AND 1),
  CONSTRAINT ck_data_quality_metrics_consistency CHECK (consistency_score BETWEEN 0 AND 1),
  CONSTRAINT ck_data_quality_metrics_validity CHECK (validity_score BETWEEN 0 AND 1),
  CONSTRAINT ck_data_quality_metrics_overall CHECK (overall_score BETWEEN 0 AND 1),
  CONSTRAINT ck_data_quality_metrics_counts
    CHECK (LEAST(anomaly_count, duplicate_count, missing_values_count, record_count,
      field_count) >= 0)
);
-- ListDataQualityMetrics and GetQualityTrend.
CREATE INDEX idx_data_quality_metrics_dataset_id
  ON versioning.data_quality_metrics (tenant_id, training_dataset_id, assessed_at, id);
-- What there is of them, for watches.
CREATE INDEX idx_data_quality_metrics_assessment_date
  ON versioning.data_quality_metrics (tenant_id, assessed_at, id);

-- The edges between which numbers of a feature are counted. They never change, so that
-- assessments can be compared.
CREATE TABLE versioning.feature_bins (
  tenant_id  uuid               NOT NULL,
  dataset_id uuid               NOT NULL,
  feature    text               NOT NULL COLLATE "C",
  edges      double precision[] NOT NULL,

  CONSTRAINT pk_feature_bins PRIMARY KEY (tenant_id, dataset_id, feature),
  CONSTRAINT fk_feature_bins_dataset FOREIGN KEY (tenant_id, dataset_id)
    REFERENCES versioning.training_datasets (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT ck_feature_bins_edges CHECK (cardinality(edges) BETWEEN 1 AND 100)
);

-- Datasets as they were at a position. Never changed.
CREATE TABLE versioning.dataset_manifests (
  tenant_id           uuid        NOT NULL,
  id                  uuid        NOT NULL,
  training_dataset_id uuid        NOT NULL,
  position            bigint      NOT NULL,
  -- In it are events that were recorded until then by the transactions visible in the
  -- snapshot: that of the commit with this position.
  frozen_at           timestamptz NOT NULL,
  snapshot            text        NOT NULL,
  -- What counted toward the threshold at the position.
  data_count          bigint      NOT NULL,
  row_count           bigint      NOT NULL,
  digest              bytea       NOT NULL,
  -- A DatasetManifest in protobuf's binary form: sources, features, counts.
  manifest            bytea       NOT NULL,
  created_at          timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_dataset_manifests PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_dataset_manifests_dataset FOREIGN KEY (tenant_id, training_dataset_id)
    REFERENCES versioning.training_datasets (tenant_id, id) ON DELETE CASCADE,
  CONSTRAINT ck_dataset_manifests_position CHECK (position >= 0),
  CONSTRAINT ck_dataset_manifests_row_count CHECK (row_count >= 0),
  CONSTRAINT ck_dataset_manifests_digest CHECK (octet_length(digest) = 32)
);
-- ListDatasetManifests.
CREATE INDEX ix_dataset_manifests_dataset
  ON versioning.dataset_manifests (tenant_id, training_dataset_id, created_at, id);

-- The rows of a frozen dataset in their order, by recorded_at and id, some thousands in each.
CREATE TABLE versioning.dataset_manifest_ranges (
  tenant_id        uuid        NOT NULL,
  manifest_id      uuid        NOT NULL,
  ordinal          integer     NOT NULL,
  from_recorded_at timestamptz NOT NULL,
  from_id          uuid        NOT NULL,
  to_recorded_at   timestamptz NOT NULL,
  to_id            uuid        NOT NULL,
  row_count        integer     NOT NULL,
  -- For each row, half of SHA-256 of its id and half of that of its content.
  row_digests      bytea       NOT NULL,
  -- SHA-256 of these.
  digest           bytea       NOT NULL,

  CONSTRAINT pk_dataset_manifest_ranges PRIMARY KEY (tenant_id, manifest_id, ordinal),
  CONSTRAINT fk_dataset_manifest_ranges_manifest FOREIGN KEY (tenant_id, manifest_id)
    REFERENCES versioning.dataset_manifests (tenant_id, id) ON DELETE CASCADE
    DEFERRABLE INITIALLY DEFERRED, -- the manifest is made of them
  CONSTRAINT ck_dataset_manifest_ranges_row_count CHECK (row_count > 0),
  CONSTRAINT ck_dataset_manifest_ranges_row_digests
    CHECK (octet_length(row_digests) = 32 * row_count),
  CONSTRAINT ck_dataset_manifest_ranges_digest CHECK (octet_length(digest) = 32)
);

-- All that versioning knows of events, with the rights of whoever asks.
CREATE VIEW versioning.recorded_events WITH (security_invoker = true) AS
  SELECT tenant_id, id, user_id, event_type, event_data, occurred_at, recorded_at, batch
    FROM tracking.behavioral_events;

-- Whether an event's data is as a source demands.
CREATE FUNCTION versioning.matches(conditions jsonb, data jsonb) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN NOT EXISTS (
    SELECT FROM jsonb_array_elements(conditions) c
     WHERE NOT EXISTS (
       SELECT FROM jsonb_array_elements(c -> 'values') v
        WHERE v = data #> ARRAY (SELECT jsonb_array_elements_text(c -> 'path'))));

-- The features of an event: the named properties that it has, or all at the top.
CREATE FUNCTION versioning.features(names text[], data jsonb) RETURNS jsonb
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN CASE WHEN cardinality(names) = 0 THEN COALESCE(data, '{}') ELSE (
    SELECT COALESCE(jsonb_object_agg(f.name, f.value), '{}')
      FROM (SELECT n AS name, data #> string_to_array(n, '.') AS value FROM unnest(names) n) f
     WHERE f.value IS NOT NULL) END;

-- The two digests of a row: of the event's id, and of its content.
CREATE FUNCTION versioning.row_digests(
    id uuid, user_id uuid, event_type text, occurred_at timestamptz, data jsonb) RETURNS bytea
  LANGUAGE sql STABLE PARALLEL SAFE
  RETURN substr(sha256(uuid_send(id)), 1, 16) || substr(sha256(convert_to(
    id || E'\n' || user_id || E'\n' || event_type || E'\n'
      || (extract(epoch FROM occurred_at) * 1000000)::bigint || E'\n' || COALESCE(data, '{}')::text,
    'UTF8')), 1, 16);

-- Adds an entry for one entity to those of the commit with this number. Its ordinal is far from
-- those that the commit's own statement gives.
CREATE FUNCTION platform.log_change(
    tenant uuid, number bigint, what text, did text, entity uuid, version bigint) RETURNS void
  LANGUAGE sql VOLATILE
BEGIN ATOMIC
  INSERT INTO platform.change_log (tenant_id, position, ordinal, kind, op, entity_id, revision)
  SELECT tenant, number, 1000000 + COALESCE(max(l.ordinal), 0), what, did, entity, version
    FROM platform.change_log l WHERE l.tenant_id = tenant AND l.position = number;
END;

-- Makes a dataset's flags fit its count; returns whether they were others. The tenant's head
-- must be locked.
CREATE FUNCTION versioning.check_threshold(tenant uuid, dataset uuid) RETURNS boolean
  LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  d record;
BEGIN
  SELECT t.threshold_reached AS was_reached, t.is_ready_for_training AS ready,
    c.data_count >= t.threshold AS reached, c.data_count >= c.next_assessment_at AS again
    INTO d
    FROM versioning.training_datasets t
    JOIN versioning.dataset_counts c ON c.tenant_id = t.tenant_id AND c.dataset_id = t.id
   WHERE t.tenant_id = tenant AND t.id = dataset AND NOT c.recount;
  IF d.reached AND NOT d.ready AND (NOT d.was_reached OR d.again) THEN
    UPDATE versioning.dataset_counts c SET due = true, next_assessment_at = NULL
     WHERE c.tenant_id = tenant AND c.dataset_id = dataset;
  ELSIF NOT d.reached AND d.was_reached THEN
    UPDATE versioning.dataset_counts c SET due = false, next_assessment_at = NULL
     WHERE c.tenant_id = tenant AND c.dataset_id = dataset;
  END IF;
  IF d.reached = d.was_reached THEN
    RETURN false;
  END IF;
  UPDATE versioning.training_datasets t
     SET threshold_reached = d.reached,
       is_ready_for_training = t.is_ready_for_training AND d.reached,
       revision = t.revision + 1, updated_at = now()
   WHERE t.tenant_id = tenant AND t.id = dataset AND d.reached IS NOT NULL;
  RETURN FOUND;
END $$;

-- Whether events of these types feed anything. Volatile, as is the next: so they see what was
-- committed while the statement waited for the tenant's head.
CREATE FUNCTION versioning.is_fed(tenant uuid, types text[]) RETURNS boolean
  LANGUAGE plpgsql VOLATILE
AS $$
BEGIN
  RETURN EXISTS (SELECT FROM versioning.dataset_sources s
                  WHERE s.tenant_id = tenant AND s.event_type = ANY (types));
END $$;

-- Counts a commit's events toward the datasets that they feed; returns the commit's number. The
-- head must be locked. What was counted is given by dataset: by which revision of its sources,
-- and how many. Where the sources were changed while the statement waited, the count is made
-- anew.
CREATE FUNCTION versioning.count_events(
    tenant uuid, number bigint, types text[], counted jsonb) RETURNS bigint
  LANGUAGE plpgsql VOLATILE
AS $$
DECLARE
  d   record;
  n   bigint;
  now_at bigint;
  again  bigint;
BEGIN
  IF counted IS NULL THEN
    RETURN number;
  END IF;
  FOR d IN
    SELECT t.id, t.threshold, t.threshold_reached AS reached, t.is_ready_for_training AS ready,
      t.sources_revision, t.revision
      FROM versioning.training_datasets t
     WHERE t.tenant_id = tenant AND t.id IN (
       SELECT s.dataset_id FROM versioning.dataset_sources s
        WHERE s.tenant_id = tenant AND s.event_type = ANY (types))
     ORDER BY t.id
  LOOP
    n := CASE WHEN (counted -> d.id::text ->> 0)::bigint = d.sources_revision
      THEN (counted -> d.id::text ->> 1)::bigint END;
    CONTINUE WHEN n = 0;
    UPDATE versioning.dataset_counts c
       SET data_count = c.data_count + COALESCE(n, 0), recount = c.recount OR n IS NULL
     WHERE c.tenant_id = tenant AND c.dataset_id = d.id
    RETURNING c.data_count, c.next_assessment_at INTO now_at, again;
    IF now_at >= d.threshold AND (NOT d.reached OR (NOT d.ready AND now_at >= again))
        AND versioning.check_threshold(tenant, d.id) THEN
      PERFORM platform.log_change(
        tenant, number, 'versioning.training_dataset', 'UPDATED', d.id, d.revision + 1);
    END IF;
  END LOOP;
  RETURN number;
END $$;

-- The tenants with datasets that are to be counted or assessed. It is all that the system role
-- learns of datasets.
CREATE FUNCTION versioning.tenants_with_work() RETURNS SETOF uuid
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
BEGIN ATOMIC
  SELECT DISTINCT tenant_id FROM versioning.dataset_counts WHERE due OR recount;
END;
REVOKE ALL ON FUNCTION versioning.tenants_with_work() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION versioning.tenants_with_work() TO rapport_system;

-- The datasets that every tenant has from its beginning.
CREATE FUNCTION versioning.add_built_in_datasets(tenant uuid, recount boolean) RETURNS void
  LANGUAGE sql VOLATILE
BEGIN ATOMIC
  WITH built_in (dataset_type, threshold, event_type, conditions) AS (VALUES
    ('recommendation', 500, 'recommendation_interaction', '[]'::jsonb),
    ('segmentation', 100, 'recommendation_interaction',
      '[{"path": ["interaction_type"], "values": ["helpful", "not_helpful"]}]'),
    ('spending', 1000, 'transaction_creation', '[]'),
    ('goal', 50, 'goal_modification', '[]')
  ), made AS (
    INSERT INTO versioning.training_datasets (tenant_id, id, dataset_type, built_in, threshold)
    SELECT tenant, gen_random_uuid(), b.dataset_type, true, b.threshold FROM built_in b
    RETURNING id, dataset_type
  ), fed AS (
    INSERT INTO versioning.dataset_sources (tenant_id, dataset_id, event_type, conditions)
    SELECT tenant, m.id, b.event_type, b.conditions
      FROM made m JOIN built_in b ON b.dataset_type = m.dataset_type
  )
  INSERT INTO versioning.dataset_counts (tenant_id, dataset_id, recount)
  SELECT tenant, m.id, recount FROM made m;
END;
REVOKE ALL ON FUNCTION versioning.add_built_in_datasets(uuid, boolean) FROM PUBLIC;

CREATE FUNCTION versioning.begin_with_datasets() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM versioning.add_built_in_datasets(NEW.id, false);
  RETURN NEW;
END $$;
REVOKE ALL ON FUNCTION versioning.begin_with_datasets() FROM PUBLIC;
CREATE TRIGGER begin_with_datasets AFTER INSERT ON identity.tenants
  FOR EACH ROW EXECUTE FUNCTION versioning.begin_with_datasets();

SELECT count(versioning.add_built_in_datasets(id, true)) FROM identity.tenants;

ALTER TABLE versioning.training_datasets ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.dataset_sources ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.dataset_counts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.data_quality_metrics ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.feature_bins ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.dataset_manifests ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.dataset_manifest_ranges ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON versioning.training_datasets
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.dataset_sources
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.dataset_counts
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.data_quality_metrics
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.feature_bins
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.dataset_manifests
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.dataset_manifest_ranges
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY recording ON versioning.training_datasets FOR SELECT
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY counting ON versioning.training_datasets FOR UPDATE
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY recording ON versioning.dataset_sources FOR SELECT
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY recording ON versioning.dataset_counts FOR SELECT
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
CREATE POLICY counting ON versioning.dataset_counts FOR UPDATE
  USING (tenant_id = ANY ((SELECT platform.recording_tenants())::uuid[]));
GRANT SELECT, INSERT, UPDATE, DELETE ON versioning.training_datasets TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON versioning.dataset_sources TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON versioning.dataset_counts TO rapport_server;
GRANT SELECT, INSERT ON versioning.data_quality_metrics TO rapport_server;
GRANT SELECT, INSERT ON versioning.feature_bins TO rapport_server;
GRANT SELECT, INSERT ON versioning.dataset_manifests TO rapport_server;
GRANT SELECT, INSERT ON versioning.dataset_manifest_ranges TO rapport_server;
GRANT SELECT ON versioning.recorded_events TO rapport_server;
