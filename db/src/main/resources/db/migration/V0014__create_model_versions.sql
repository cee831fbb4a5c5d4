-- Trainings of models, the versions that they make, which of these is active when, and how they
-- do. Who writes any of it holds the tenant's head from the beginning.

-- How far a training can go in one step.
CREATE FUNCTION versioning.is_training_step(old_status text, new_status text) RETURNS boolean
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  RETURN (old_status, new_status) IN (
    ('PENDING', 'IN_PROGRESS'), ('PENDING', 'CANCELLED'),
    ('IN_PROGRESS', 'PENDING'), ('IN_PROGRESS', 'COMPLETED'), ('IN_PROGRESS', 'FAILED'),
    ('IN_PROGRESS', 'CANCELLED'), ('COMPLETED', 'DEPLOYED'));

CREATE TABLE versioning.model_training_events (
  tenant_id           uuid             NOT NULL,
  id                  uuid             NOT NULL,
  model_type          text             NOT NULL COLLATE "C",
  training_dataset_id uuid             NOT NULL,
  manifest_id         uuid,
  status              text             NOT NULL DEFAULT 'PENDING',
  cause               text             NOT NULL,
  requested_by        text             NOT NULL,
  reason              text,
  priority            integer          NOT NULL,
  attempts            integer          NOT NULL DEFAULT 0,
  max_attempts        integer          NOT NULL,
  started_at          timestamptz,
  ended_at            timestamptz,
  worker              text,
  -- The fencing token: another one for each attempt.
  lease_id            uuid,
  lease_expires_at    timestamptz,
  -- How long it holds after each report.
  lease_millis        integer          NOT NULL DEFAULT 60000,
  progress            double precision NOT NULL DEFAULT 0,
  progress_message    text,
  failure             text,
  performance_metrics jsonb,
  model_path          text,
  artefact_digest     text,
  previous_model_path text,
  training_data_size  bigint           NOT NULL DEFAULT 0,
  validation_score    double precision,
  deployment_approved boolean          NOT NULL DEFAULT false,
  approved_by         text,
  approved_at         timestamptz,
  active              boolean          NOT NULL DEFAULT true,
  revision            bigint           NOT NULL DEFAULT 1,
  created_at          timestamptz      NOT NULL DEFAULT now(),
  last_updated_at     timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_model_training_events PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_model_training_events_dataset FOREIGN KEY (tenant_id, training_dataset_id)
    REFERENCES versioning.training_datasets (tenant_id, id),
  CONSTRAINT fk_model_training_events_manifest FOREIGN KEY (tenant_id, manifest_id)
    REFERENCES versioning.dataset_manifests (tenant_id, id),
  CONSTRAINT ck_model_training_events_status CHECK (status IN
    ('PENDING', 'IN_PROGRESS', 'COMPLETED', 'FAILED', 'DEPLOYED', 'CANCELLED')),
  CONSTRAINT ck_model_training_events_cause CHECK (cause IN ('THRESHOLD', 'MANUAL', 'ROLLBACK')),
  CONSTRAINT ck_model_training_events_lease CHECK (
    (lease_id IS NOT NULL) = (lease_expires_at IS NOT NULL)
    AND (lease_id IS NOT NULL) = (status = 'IN_PROGRESS')),
  CONSTRAINT ck_model_training_events_ended CHECK (
    (ended_at IS NOT NULL) = (status NOT IN ('PENDING', 'IN_PROGRESS'))),
  CONSTRAINT ck_model_training_events_priority CHECK (priority BETWEEN 0 AND 100),
  CONSTRAINT ck_model_training_events_attempts CHECK (attempts BETWEEN 0 AND max_attempts),
  CONSTRAINT ck_model_training_events_progress CHECK (progress BETWEEN 0 AND 1),
  CONSTRAINT ck_model_training_events_digest CHECK (artefact_digest ~ '^[0-9a-f]{64}$'),
  CONSTRAINT ck_model_training_events_metrics CHECK (jsonb_typeof(performance_metrics) = 'object'),
  CONSTRAINT ck_model_training_events_model CHECK (
    model_path IS NOT NULL OR status NOT IN ('COMPLETED', 'DEPLOYED')),
  CONSTRAINT ck_model_training_events_revision CHECK (revision > 0)
) WITH (fillfactor = 80);
-- One at a time of each model type.
CREATE UNIQUE INDEX ix_model_training_events_open
  ON versioning.model_training_events (tenant_id, model_type)
  WHERE status IN ('PENDING', 'IN_PROGRESS');
-- ClaimTraining, and which tenants have something to claim.
CREATE INDEX ix_model_training_events_queue
  ON versioning.model_training_events (tenant_id, priority DESC, id) WHERE status = 'PENDING';
-- Leases that are over, of all tenants.
CREATE INDEX ix_model_training_events_lease
  ON versioning.model_training_events (lease_expires_at) WHERE status = 'IN_PROGRESS';
-- ListTrainingEvents.
CREATE INDEX idx_model_training_events_created
  ON versioning.model_training_events (tenant_id, created_at, id);
CREATE INDEX idx_model_training_events_type
  ON versioning.model_training_events (tenant_id, model_type, created_at, id);
CREATE INDEX idx_model_training_events_status
  ON versioning.model_training_events (tenant_id, status, created_at, id);
CREATE INDEX idx_model_training_events_start_time
  ON versioning.model_training_events (tenant_id, started_at, id);
CREATE INDEX idx_model_training_events_dataset_id
  ON versioning.model_training_events (tenant_id, training_dataset_id);
CREATE INDEX ix_model_training_events_manifest
  ON versioning.model_training_events (tenant_id, manifest_id);

CREATE FUNCTION versioning.check_training_step() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  IF NOT versioning.is_training_step(OLD.status, NEW.status) THEN
    RAISE EXCEPTION 'a training can''t go from % to %', OLD.status, NEW.status
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_model_training_events_step';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER check_training_step BEFORE UPDATE OF status ON versioning.model_training_events
  FOR EACH ROW WHEN (OLD.status <> NEW.status) EXECUTE FUNCTION versioning.check_training_step();

CREATE TABLE versioning.model_versions (
  tenant_id            uuid             NOT NULL,
  id                   uuid             NOT NULL,
  model_type           text             NOT NULL COLLATE "C",
  version              text             NOT NULL COLLATE "C",
  -- Sorts as semantic versions do.
  version_key          text             NOT NULL COLLATE "C",
  model_path           text             NOT NULL,
  artefact_digest      text,
  training_event_id    uuid,
  training_dataset_id  uuid,
  manifest_id          uuid,
  quality_metrics_id   uuid,
  data_quality_score   double precision,
  training_data_size   bigint           NOT NULL DEFAULT 0,
  validation_score     double precision,
  performance_baseline double precision,
  performance_current  double precision,
  performance_samples  bigint           NOT NULL DEFAULT 0,
  performance_at       timestamptz,
  is_active            boolean          NOT NULL DEFAULT false,
  deployed_at          timestamptz,
  rollback_count       integer          NOT NULL DEFAULT 0,
  model_metadata       jsonb,
  performance_metrics  jsonb,
  registered_by        text             NOT NULL,
  active               boolean          NOT NULL DEFAULT true,
  revision             bigint           NOT NULL DEFAULT 1,
  created_at           timestamptz      NOT NULL DEFAULT now(),
  last_updated_at      timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_model_versions PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_model_versions_version UNIQUE (tenant_id, model_type, version),
  CONSTRAINT fk_model_versions_training FOREIGN KEY (tenant_id, training_event_id)
    REFERENCES versioning.model_training_events (tenant_id, id),
  CONSTRAINT fk_model_versions_dataset FOREIGN KEY (tenant_id, training_dataset_id)
    REFERENCES versioning.training_datasets (tenant_id, id),
  CONSTRAINT fk_model_versions_manifest FOREIGN KEY (tenant_id, manifest_id)
    REFERENCES versioning.dataset_manifests (tenant_id, id),
  CONSTRAINT fk_model_versions_quality FOREIGN KEY (tenant_id, quality_metrics_id)
    REFERENCES versioning.data_quality_metrics (tenant_id, id),
  CONSTRAINT ck_model_versions_model_type CHECK (char_length(model_type) BETWEEN 1 AND 100),
  CONSTRAINT ck_model_versions_version CHECK (char_length(version) BETWEEN 5 AND 64),
  CONSTRAINT ck_model_versions_digest CHECK (artefact_digest ~ '^[0-9a-f]{64}$'),
  CONSTRAINT ck_model_versions_quality CHECK (data_quality_score BETWEEN 0 AND 1),
  CONSTRAINT ck_model_versions_counts
    CHECK (LEAST(training_data_size, performance_samples, rollback_count) >= 0),
  CONSTRAINT ck_model_versions_deployed CHECK (deployed_at IS NOT NULL OR NOT is_active),
  CONSTRAINT ck_model_versions_metadata CHECK (jsonb_typeof(model_metadata) = 'object'),
  CONSTRAINT ck_model_versions_metrics CHECK (jsonb_typeof(performance_metrics) = 'object'),
  CONSTRAINT ck_model_versions_revision CHECK (revision > 0)
) WITH (fillfactor = 80);
-- Never two.
CREATE UNIQUE INDEX idx_model_versions_active
  ON versioning.model_versions (tenant_id, model_type) WHERE is_active;
-- ListModelVersions, and the highest of a type.
CREATE INDEX ix_model_versions_key ON versioning.model_versions (tenant_id, version_key, id);
CREATE INDEX idx_model_versions_type
  ON versioning.model_versions (tenant_id, model_type, version_key, id);
CREATE INDEX ix_model_versions_created ON versioning.model_versions (tenant_id, created_at, id);
CREATE INDEX idx_model_versions_deployment_date
  ON versioning.model_versions (tenant_id, deployed_at, id);
CREATE INDEX idx_model_versions_training_event
  ON versioning.model_versions (tenant_id, training_event_id);
CREATE INDEX ix_model_versions_dataset
  ON versioning.model_versions (tenant_id, training_dataset_id);
CREATE INDEX ix_model_versions_manifest ON versioning.model_versions (tenant_id, manifest_id);
CREATE INDEX ix_model_versions_quality
  ON versioning.model_versions (tenant_id, quality_metrics_id);
-- What the keeper looks at, of all tenants.
CREATE INDEX ix_model_versions_kept ON versioning.model_versions (id) WHERE is_active;

-- And never none: at the end of each transaction that deactivates a version, another is active.
CREATE FUNCTION versioning.require_active_version() RETURNS trigger
  LANGUAGE plpgsql
AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM versioning.model_versions v
      WHERE v.tenant_id = OLD.tenant_id AND v.model_type = OLD.model_type AND v.is_active) THEN
    RAISE EXCEPTION 'no version of this type would be active'
      USING ERRCODE = 'check_violation', CONSTRAINT = 'ck_model_versions_one_active';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER require_active_version
  AFTER UPDATE OF is_active OR DELETE ON versioning.model_versions
  DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (OLD.is_active) EXECUTE FUNCTION versioning.require_active_version();

-- When which version was active.
CREATE TABLE versioning.model_activations (
  tenant_id              uuid        NOT NULL,
  id                     uuid        NOT NULL,
  model_type             text        NOT NULL COLLATE "C",
  model_version_id       uuid        NOT NULL,
  -- From this commit on, up to before the other.
  from_position          bigint      NOT NULL,
  to_position            bigint,
  activated_at           timestamptz NOT NULL,
  deactivated_at         timestamptz,
  cause                  text        NOT NULL,
  reason                 text,
  activated_by           text        NOT NULL,
  replaced_version_id    uuid,
  -- What a rollback returns to: the activation of what was promoted before this.
  previous_activation_id uuid,
  overrides              jsonb,
  active                 boolean     NOT NULL DEFAULT true,
  revision               bigint      NOT NULL DEFAULT 1,
  created_at             timestamptz NOT NULL DEFAULT now(),
  last_updated_at        timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_model_activations PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_model_activations_version FOREIGN KEY (tenant_id, model_version_id)
    REFERENCES versioning.model_versions (tenant_id, id),
  CONSTRAINT fk_model_activations_replaced FOREIGN KEY (tenant_id, replaced_version_id)
    REFERENCES versioning.model_versions (tenant_id, id),
  CONSTRAINT fk_model_activations_previous FOREIGN KEY (tenant_id, previous_activation_id)
    REFERENCES versioning.model_activations (tenant_id, id),
  CONSTRAINT ck_model_activations_cause
    CHECK (cause IN ('PROMOTION', 'ROLLBACK', 'AUTOMATIC_ROLLBACK')),
  CONSTRAINT ck_model_activations_position CHECK (to_position > from_position),
  CONSTRAINT ck_model_activations_time CHECK (deactivated_at > activated_at),
  CONSTRAINT ck_model_activations_ended
    CHECK ((to_position IS NULL) = (deactivated_at IS NULL)),
  CONSTRAINT ck_model_activations_overrides CHECK (jsonb_typeof(overrides) = 'object'),
  CONSTRAINT ck_model_activations_revision CHECK (revision > 0),
  CONSTRAINT ex_model_activations_position EXCLUDE USING gist (
    tenant_id WITH =, model_type WITH =, int8range(from_position, to_position) WITH &&),
  CONSTRAINT ex_model_activations_time EXCLUDE USING gist (
    tenant_id WITH =, model_type WITH =, tstzrange(activated_at, deactivated_at) WITH &&)
);
-- ListModelActivations, and GetActiveModelVersion at an earlier time.
CREATE INDEX ix_model_activations_type
  ON versioning.model_activations (tenant_id, model_type, activated_at, id);
CREATE INDEX ix_model_activations_position
  ON versioning.model_activations (tenant_id, model_type, from_position);
CREATE INDEX ix_model_activations_activated
  ON versioning.model_activations (tenant_id, activated_at, id);
CREATE INDEX ix_model_activations_version
  ON versioning.model_activations (tenant_id, model_version_id);
CREATE INDEX ix_model_activations_replaced
  ON versioning.model_activations (tenant_id, replaced_version_id);
CREATE INDEX ix_model_activations_previous
  ON versioning.model_activations (tenant_id, previous_activation_id);

-- How a type's users are shared between the active version and a candidate.
CREATE TABLE versioning.traffic_splits (
  tenant_id            uuid        NOT NULL,
  model_type           text        NOT NULL COLLATE "C",
  id                   uuid        NOT NULL,
  candidate_version_id uuid,
  -- Of 10,000 users.
  share                integer     NOT NULL DEFAULT 0,
  revision             bigint      NOT NULL DEFAULT 1,
  last_updated_at      timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_traffic_splits PRIMARY KEY (tenant_id, model_type),
  CONSTRAINT fk_traffic_splits_candidate FOREIGN KEY (tenant_id, candidate_version_id)
    REFERENCES versioning.model_versions (tenant_id, id),
  CONSTRAINT ck_traffic_splits_share CHECK (share BETWEEN 0 AND 10000),
  CONSTRAINT ck_traffic_splits_candidate CHECK (candidate_version_id IS NOT NULL OR share = 0)
);
CREATE INDEX ix_traffic_splits_candidate
  ON versioning.traffic_splits (tenant_id, candidate_version_id);

-- What versions must fulfil.
CREATE TABLE versioning.promotion_policies (
  tenant_id                uuid             NOT NULL,
  id                       uuid             NOT NULL,
  model_type               text             NOT NULL COLLATE "C",
  validation_factor        double precision NOT NULL DEFAULT 1,
  minimum_data_quality     double precision NOT NULL DEFAULT 0.7,
  minimum_training_samples bigint           NOT NULL DEFAULT 20,
  require_approval         boolean          NOT NULL DEFAULT true,
  require_digest           boolean          NOT NULL DEFAULT true,
  block_on_alerts          boolean          NOT NULL DEFAULT true,
  automatic_rollback       boolean          NOT NULL DEFAULT true,
  rollback_share           double precision NOT NULL DEFAULT 0.9,
  rollback_minimum_samples bigint           NOT NULL DEFAULT 20,
  stale_after_seconds      bigint           NOT NULL DEFAULT 604800,
  main_metric              text             NOT NULL DEFAULT 'accuracy',
  max_training_attempts    integer          NOT NULL DEFAULT 3,
  active                   boolean          NOT NULL DEFAULT true,
  revision                 bigint           NOT NULL DEFAULT 1,
  created_at               timestamptz      NOT NULL DEFAULT now(),
  last_updated_at          timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_promotion_policies PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_promotion_policies_type UNIQUE (tenant_id, model_type),
  CONSTRAINT ck_promotion_policies_revision CHECK (revision > 0),
  CONSTRAINT ck_promotion_policies_model_type CHECK (char_length(model_type) BETWEEN 1 AND 100),
  CONSTRAINT ck_promotion_policies_validation_factor CHECK (validation_factor BETWEEN 0 AND 10),
  CONSTRAINT ck_promotion_policies_minimum_data_quality
    CHECK (minimum_data_quality BETWEEN 0 AND 1),
  CONSTRAINT ck_promotion_policies_minimum_training_samples
    CHECK (minimum_training_samples >= 0),
  CONSTRAINT ck_promotion_policies_rollback_share CHECK (rollback_share BETWEEN 0 AND 1),
  CONSTRAINT ck_promotion_policies_rollback_minimum_samples
    CHECK (rollback_minimum_samples >= 1),
  CONSTRAINT ck_promotion_policies_stale_after_seconds
    CHECK (stale_after_seconds BETWEEN 60 AND 315360000),
  CONSTRAINT ck_promotion_policies_main_metric CHECK (char_length(main_metric) BETWEEN 1 AND 100),
  CONSTRAINT ck_promotion_policies_max_training_attempts
    CHECK (max_training_attempts BETWEEN 1 AND 100)
);
-- ListPromotionPolicies.
CREATE INDEX ix_promotion_policies_created
  ON versioning.promotion_policies (tenant_id, created_at, id);
CREATE INDEX ix_promotion_policies_type
  ON versioning.promotion_policies (tenant_id, model_type, id);

-- How models did.
CREATE TABLE versioning.model_performance (
  tenant_id          uuid             NOT NULL,
  id                 uuid             NOT NULL,
  model_name         text             NOT NULL COLLATE "C",
  version            text             COLLATE "C",
  metric_name        text             NOT NULL DEFAULT 'accuracy' COLLATE "C",
  accuracy_metric    double precision NOT NULL,
  sample_count       bigint           NOT NULL DEFAULT 0,
  feature_importance jsonb,
  segment            text             COLLATE "C",
  window_start_at    timestamptz      NOT NULL DEFAULT now(),
  window_end_at      timestamptz      NOT NULL DEFAULT now(),
  active             boolean          NOT NULL DEFAULT true,
  revision           bigint           NOT NULL DEFAULT 1,
  created_at         timestamptz      NOT NULL DEFAULT now(),
  last_updated_at    timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_model_performance PRIMARY KEY (tenant_id, id),
  CONSTRAINT ck_model_performance_sample_count CHECK (sample_count >= 0),
  CONSTRAINT ck_model_performance_window CHECK (window_start_at <= window_end_at),
  CONSTRAINT ck_model_performance_features CHECK (jsonb_typeof(feature_importance) = 'object'),
  CONSTRAINT ck_model_performance_revision CHECK (revision > 0)
);
-- ListModelPerformances and GetPerformanceSeries.
CREATE INDEX ix_model_performance_window
  ON versioning.model_performance (tenant_id, window_end_at, id);
CREATE INDEX idx_model_performance_name_created
  ON versioning.model_performance (tenant_id, model_name, metric_name, window_end_at);
-- What there is of them, for watches.
CREATE INDEX ix_model_performance_created
  ON versioning.model_performance (tenant_id, created_at, id);

ALTER TABLE versioning.model_training_events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.model_versions ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.model_activations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.traffic_splits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.promotion_policies ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE versioning.model_performance ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON versioning.model_training_events
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.model_versions
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.model_activations
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.traffic_splits
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.promotion_policies
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON versioning.model_performance
  USING (tenant_id = (SELECT platform.current_tenant()));
-- Servers look for what is to be done across tenants.
CREATE POLICY keeping ON versioning.model_training_events FOR SELECT TO rapport_system USING (true);
CREATE POLICY keeping ON versioning.model_versions FOR SELECT TO rapport_system USING (true);
GRANT SELECT, INSERT, UPDATE ON versioning.model_training_events TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON versioning.model_versions TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON versioning.model_activations TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON versioning.traffic_splits TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON versioning.promotion_policies TO rapport_server;
GRANT SELECT, INSERT ON versioning.model_performance TO rapport_server;
GRANT SELECT ON versioning.model_training_events, versioning.model_versions TO rapport_system;
