-- What models predicted, what came true, what was out of the ordinary, and what was learnt.
CREATE SCHEMA monitoring;
GRANT USAGE ON SCHEMA monitoring TO rapport_server, rapport_system;

-- The prediction log. It is one table rather than partitions by time, because an id is
-- recorded once for ever: its primary key says so. No foreign key leads to users, as of events.
CREATE TABLE monitoring.prediction_log (
  tenant_id         uuid             NOT NULL,
  id                uuid             NOT NULL,
  model_name        text             NOT NULL COLLATE "C",
  model_version     text             NOT NULL COLLATE "C",
  prediction_type   text             NOT NULL COLLATE "C",
  segment           text             NOT NULL COLLATE "C",
  prediction_value  double precision NOT NULL,
  predicted_class   text             COLLATE "C",
  prediction_result jsonb,
  input_features    jsonb,
  -- How many features there are, for the detection.
  feature_count     integer          NOT NULL,
  confidence_score  double precision,
  anomaly_score     double precision,
  is_anomaly        boolean          NOT NULL,
  severity          text             NOT NULL,
  response_time_ms  integer,
  user_id           uuid,
  source_request_id text,
  cache_entry_id    uuid,
  predicted_at      timestamptz      NOT NULL,
  recorded_at       timestamptz      NOT NULL,
  -- Of the prediction as it was sent.
  digest            bytea            NOT NULL,
  -- When the detection looked at it, unless its sender had scored it.
  judged_at         timestamptz,
  -- What came true: one of the three.
  outcome_kind      text,
  actual_value      double precision,
  actual_class      text             COLLATE "C",
  occurred          boolean,
  actual_outcome    jsonb,
  observed_at       timestamptz,
  error             double precision,
  accuracy_score    double precision,
  validated_at      timestamptz,
  correction_reason text,
  active            boolean          NOT NULL DEFAULT true,

  CONSTRAINT pk_prediction_log PRIMARY KEY (tenant_id, id),
  CONSTRAINT ck_prediction_log_model_name CHECK (char_length(model_name) BETWEEN 1 AND 100),
  CONSTRAINT ck_prediction_log_model_version CHECK (char_length(model_version) <= 50),
  CONSTRAINT ck_prediction_log_prediction_type CHECK (char_length(prediction_type) <= 50),
  CONSTRAINT ck_prediction_log_segment CHECK (char_length(segment) <= 100),
  CONSTRAINT ck_prediction_log_value CHECK (prediction_value BETWEEN -1e100 AND 1e100),
  CONSTRAINT ck_prediction_log_result CHECK (jsonb_typeof(prediction_result) = 'object'),
  CONSTRAINT ck_prediction_log_features CHECK (jsonb_typeof(input_features) = 'object'),
  CONSTRAINT ck_prediction_log_confidence CHECK (confidence_score BETWEEN 0 AND 1),
  CONSTRAINT ck_prediction_log_anomaly CHECK (anomaly_score BETWEEN -1 AND 1),
  CONSTRAINT ck_prediction_log_severity CHECK (severity IN ('NORMAL', 'WARNING', 'CRITICAL')),
  CONSTRAINT ck_prediction_log_response_time CHECK (response_time_ms >= 0),
  CONSTRAINT ck_prediction_log_digest CHECK (octet_length(digest) = 32),
  CONSTRAINT ck_prediction_log_outcome_kind CHECK (
    CASE outcome_kind
      WHEN 'VALUE' THEN actual_value BETWEEN -1e100 AND 1e100 AND error IS NOT NULL
      WHEN 'CLASS' THEN actual_class IS NOT NULL AND predicted_class IS NOT NULL
      WHEN 'EVENT' THEN occurred IS NOT NULL AND prediction_value BETWEEN 0 AND 1
      ELSE outcome_kind IS NULL AND validated_at IS NULL END),
  CONSTRAINT ck_prediction_log_actual_outcome CHECK (jsonb_typeof(actual_outcome) = 'object'),
  CONSTRAINT ck_prediction_log_accuracy CHECK (accuracy_score BETWEEN 0 AND 1)
) WITH (fillfactor = 85);
-- ListLoggedPredictions of a model, and what the detection looks at.
CREATE INDEX ix_prediction_log_model
  ON monitoring.prediction_log (tenant_id, model_name, predicted_at, id);
-- ListLoggedPredictions.
CREATE INDEX ix_prediction_log_predicted ON monitoring.prediction_log (tenant_id, predicted_at, id);
-- ListLoggedPredictions of a user.
CREATE INDEX ix_prediction_log_user
  ON monitoring.prediction_log (tenant_id, user_id, predicted_at, id) WHERE user_id IS NOT NULL;
-- ListLoggedPredictions of anomalies alone.
CREATE INDEX ix_prediction_log_anomaly
  ON monitoring.prediction_log (tenant_id, model_name, predicted_at, id) WHERE is_anomaly;
-- What was recorded since the detection last looked.
CREATE INDEX ix_prediction_log_recorded
  ON monitoring.prediction_log (tenant_id, model_name, recorded_at, id);

-- Outcomes of predictions that are not there yet.
CREATE TABLE monitoring.pending_outcomes (
  tenant_id     uuid        NOT NULL,
  prediction_id uuid        NOT NULL,
  -- An OutcomeReport in protobuf's binary form.
  report        bytea       NOT NULL,
  created_at    timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_pending_outcomes PRIMARY KEY (tenant_id, prediction_id)
);
-- What is too old to be kept.
CREATE INDEX ix_pending_outcomes_created ON monitoring.pending_outcomes (created_at);

-- The sums behind all figures, by the hour of the predictions. They are numeric and so exact:
-- the order of additions doesn't matter, and what was added can be taken away.
CREATE TABLE monitoring.prediction_figures (
  tenant_id          uuid        NOT NULL,
  model_name         text        NOT NULL COLLATE "C",
  model_version      text        NOT NULL COLLATE "C",
  segment            text        NOT NULL COLLATE "C",
  hour               timestamptz NOT NULL,
  predictions        bigint      NOT NULL DEFAULT 0,
  outcomes           bigint      NOT NULL DEFAULT 0,
  numbers            bigint      NOT NULL DEFAULT 0,
  sum_error          numeric     NOT NULL DEFAULT 0,
  sum_absolute_error numeric     NOT NULL DEFAULT 0,
  sum_squared_error  numeric     NOT NULL DEFAULT 0,
  sum_actual         numeric     NOT NULL DEFAULT 0,
  sum_squared_actual numeric     NOT NULL DEFAULT 0,
  judgements         bigint      NOT NULL DEFAULT 0,
  right_judgements   bigint      NOT NULL DEFAULT 0,
  sum_brier          numeric     NOT NULL DEFAULT 0,

  CONSTRAINT pk_prediction_figures
    PRIMARY KEY (tenant_id, model_name, model_version, segment, hour)
) WITH (fillfactor = 50);
-- Figures of a model by time, and how many predictions were made on a day.
CREATE INDEX ix_prediction_figures_hour ON monitoring.prediction_figures (tenant_id, model_name, hour);

-- The same for probabilities, in ten equal ranges.
CREATE TABLE monitoring.calibration_bins (
  tenant_id       uuid        NOT NULL,
  model_name      text        NOT NULL COLLATE "C",
  model_version   text        NOT NULL COLLATE "C",
  segment         text        NOT NULL COLLATE "C",
  hour            timestamptz NOT NULL,
  bin             smallint    NOT NULL,
  probabilities   bigint      NOT NULL DEFAULT 0,
  sum_probability numeric     NOT NULL DEFAULT 0,
  came_true       bigint      NOT NULL DEFAULT 0,

  CONSTRAINT pk_calibration_bins
    PRIMARY KEY (tenant_id, model_name, model_version, segment, hour, bin),
  CONSTRAINT ck_calibration_bins_bin CHECK (bin BETWEEN 0 AND 9)
) WITH (fillfactor = 50);

-- What each prediction with an outcome adds to the figures. A double's text is its shortest
-- decimal form, which numeric holds exactly.
CREATE VIEW monitoring.contributions WITH (security_invoker = true) AS
SELECT tenant_id, id, model_name, model_version, segment,
  date_trunc('hour', predicted_at, 'UTC') AS hour,
  outcome_kind = 'VALUE' AS is_number,
  outcome_kind <> 'VALUE' AS is_judgement,
  CASE WHEN outcome_kind = 'VALUE'
    THEN prediction_value::text::numeric - actual_value::text::numeric END AS error,
  CASE WHEN outcome_kind = 'VALUE' THEN actual_value::text::numeric END AS actual,
  CASE outcome_kind WHEN 'CLASS' THEN predicted_class = actual_class
    WHEN 'EVENT' THEN (prediction_value >= 0.5) = occurred END AS is_right,
  CASE outcome_kind WHEN 'CLASS' THEN confidence_score::text::numeric
    WHEN 'EVENT' THEN prediction_value::text::numeric END AS probability,
  CASE outcome_kind WHEN 'CLASS' THEN predicted_class = actual_class
    WHEN 'EVENT' THEN occurred END AS came_true
  FROM monitoring.prediction_log
 WHERE outcome_kind IS NOT NULL;

-- The models that have logged predictions, for the detection.
CREATE TABLE monitoring.monitored_models (
  tenant_id  uuid        NOT NULL,
  model_name text        NOT NULL COLLATE "C",
  logged_at  timestamptz NOT NULL,

  CONSTRAINT pk_monitored_models PRIMARY KEY (tenant_id, model_name)
) WITH (fillfactor = 50);

-- How far the detection has got with each model.
CREATE TABLE monitoring.detection_runs (
  tenant_id    uuid        NOT NULL,
  model_name   text        NOT NULL COLLATE "C",
  -- All that was recorded before has been looked at.
  judged_until timestamptz NOT NULL,
  ran_at       timestamptz NOT NULL,
  -- There is more to look at.
  more         boolean     NOT NULL,

  CONSTRAINT pk_detection_runs PRIMARY KEY (tenant_id, model_name)
);

-- Alerts. Their state is told together with the silences.
CREATE TABLE monitoring.anomaly_alerts (
  tenant_id               uuid        NOT NULL,
  id                      uuid        NOT NULL,
  model_name              text        NOT NULL COLLATE "C",
  fingerprint             text        NOT NULL COLLATE "C",
  alert_type              text        NOT NULL,
  severity                text        NOT NULL,
  alert_data              jsonb       NOT NULL,
  state                   text        NOT NULL,
  cause                   text        NOT NULL,
  occurrences             bigint      NOT NULL DEFAULT 1,
  first_seen_at           timestamptz NOT NULL DEFAULT now(),
  last_seen_at            timestamptz NOT NULL DEFAULT now(),
  acknowledged            boolean     NOT NULL DEFAULT false,
  acknowledged_by         uuid,
  acknowledged_by_subject text,
  acknowledged_at         timestamptz,
  resolved_at             timestamptz,
  resolution              text,
  active                  boolean     NOT NULL DEFAULT true,
  revision                bigint      NOT NULL DEFAULT 1,
  created_at              timestamptz NOT NULL DEFAULT now(),
  updated_at              timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_anomaly_alerts PRIMARY KEY (tenant_id, id),
  CONSTRAINT fk_anomaly_alerts_acknowledged_by FOREIGN KEY (tenant_id, acknowledged_by)
    REFERENCES identity.users (tenant_id, id),
  CONSTRAINT ck_anomaly_alerts_model_name CHECK (char_length(model_name) BETWEEN 1 AND 100),
  CONSTRAINT ck_anomaly_alerts_fingerprint CHECK (char_length(fingerprint) BETWEEN 1 AND 250),
  CONSTRAINT ck_anomaly_alerts_severity
    CHECK (severity IN ('LOW', 'MEDIUM', 'HIGH', 'CRITICAL')),
  CONSTRAINT ck_anomaly_alerts_alert_data CHECK (jsonb_typeof(alert_data) = 'object'),
  CONSTRAINT ck_anomaly_alerts_state CHECK (state IN ('OPEN', 'ACKNOWLEDGED', 'RESOLVED')),
  CONSTRAINT ck_anomaly_alerts_cause CHECK (cause IN ('RAISED', 'DETECTION')),
  CONSTRAINT ck_anomaly_alerts_resolved CHECK ((state = 'RESOLVED') = (resolved_at IS NOT NULL)),
  CONSTRAINT ck_anomaly_alerts_acknowledged CHECK (acknowledged = (acknowledged_at IS NOT NULL))
);
-- One that is not resolved for each fingerprint.
CREATE UNIQUE INDEX ix_anomaly_alerts_unresolved
  ON monitoring.anomaly_alerts (tenant_id, fingerprint) WHERE state <> 'RESOLVED';
-- ListAnomalyAlerts.
CREATE INDEX ix_anomaly_alerts_seen ON monitoring.anomaly_alerts (tenant_id, last_seen_at, id);
-- ListAnomalyAlerts of a model.
CREATE INDEX ix_anomaly_alerts_model
  ON monitoring.anomaly_alerts (tenant_id, model_name, last_seen_at, id);
-- Those of a model that are not resolved, for what depends on them.
CREATE INDEX ix_anomaly_alerts_open
  ON monitoring.anomaly_alerts (tenant_id, model_name, severity) WHERE state <> 'RESOLVED';
-- ListAnomalyAlerts that nobody has acknowledged.
CREATE INDEX ix_anomaly_alerts_unacknowledged
  ON monitoring.anomaly_alerts (tenant_id, last_seen_at, id) WHERE NOT acknowledged;
-- A user's.
CREATE INDEX ix_anomaly_alerts_acknowledged_by
  ON monitoring.anomaly_alerts (tenant_id, acknowledged_by);
-- Those that have been quiet for long.
CREATE INDEX ix_anomaly_alerts_quiet
  ON monitoring.anomaly_alerts (last_seen_at) WHERE state <> 'RESOLVED';

-- Which alerts are not to be minded.
CREATE TABLE monitoring.alert_silences (
  tenant_id         uuid        NOT NULL,
  id                uuid        NOT NULL,
  model_name        text        NOT NULL COLLATE "C",
  fingerprint       text        NOT NULL COLLATE "C",
  silenced_until_at timestamptz NOT NULL,
  reason            text,
  active            boolean     NOT NULL DEFAULT true,
  revision          bigint      NOT NULL DEFAULT 1,
  created_at        timestamptz NOT NULL DEFAULT now(),
  last_updated_at   timestamptz NOT NULL DEFAULT now(),

  CONSTRAINT pk_alert_silences PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_alert_silences_key UNIQUE (tenant_id, model_name, fingerprint),
  CONSTRAINT ck_alert_silences_revision CHECK (revision > 0),
  CONSTRAINT ck_alert_silences_model_name CHECK (char_length(model_name) BETWEEN 1 AND 100),
  CONSTRAINT ck_alert_silences_fingerprint CHECK (char_length(fingerprint) BETWEEN 1 AND 250)
);
-- These serve ListAlertSilences.
CREATE INDEX ix_alert_silences_created ON monitoring.alert_silences (tenant_id, created_at, id);
CREATE INDEX ix_alert_silences_model ON monitoring.alert_silences (tenant_id, model_name, id);

-- How anomalies are looked for.
CREATE TABLE monitoring.detection_settings (
  tenant_id       uuid             NOT NULL,
  id              uuid             NOT NULL,
  model_name      text             NOT NULL COLLATE "C",
  method          text,
  z_threshold     double precision,
  contamination   double precision,
  tree_count      integer,
  sample_size     integer,
  min_predictions integer,
  quiet_seconds   bigint,
  active          boolean          NOT NULL DEFAULT true,
  revision        bigint           NOT NULL DEFAULT 1,
  created_at      timestamptz      NOT NULL DEFAULT now(),
  last_updated_at timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_detection_settings PRIMARY KEY (tenant_id, id),
  CONSTRAINT uq_detection_settings_model UNIQUE (tenant_id, model_name),
  CONSTRAINT ck_detection_settings_revision CHECK (revision > 0),
  CONSTRAINT ck_detection_settings_model_name CHECK (char_length(model_name) BETWEEN 1 AND 100),
  CONSTRAINT ck_detection_settings_method
    CHECK (method IN ('BOTH', 'EITHER', 'ROBUST_Z_SCORE', 'ISOLATION_FOREST', 'OFF')),
  CONSTRAINT ck_detection_settings_z_threshold CHECK (z_threshold BETWEEN 0.1 AND 1000),
  CONSTRAINT ck_detection_settings_contamination CHECK (contamination BETWEEN 0.0001 AND 0.5),
  CONSTRAINT ck_detection_settings_tree_count CHECK (tree_count BETWEEN 1 AND 1000),
  CONSTRAINT ck_detection_settings_sample_size CHECK (sample_size BETWEEN 2 AND 4096),
  CONSTRAINT ck_detection_settings_min_predictions CHECK (min_predictions BETWEEN 8 AND 10000),
  CONSTRAINT ck_detection_settings_quiet CHECK (quiet_seconds BETWEEN 60 AND 31536000)
);
-- These serve ListDetectionSettings.
CREATE INDEX ix_detection_settings_created
  ON monitoring.detection_settings (tenant_id, created_at, id);
CREATE INDEX ix_detection_settings_name ON monitoring.detection_settings (tenant_id, model_name, id);

-- What assistants got wrong. Its words are compared without an index of theirs: under row-level
-- security PostgreSQL asks no index by an operator that could leak, and a tenant has few entries.
CREATE TABLE monitoring.ai_learning_memory (
  tenant_id          uuid             NOT NULL,
  id                 uuid             NOT NULL,
  error_type         text             NOT NULL COLLATE "C",
  user_intent        text             NOT NULL,
  failed_query       text             NOT NULL,
  specific_issue     text             NOT NULL,
  suggested_fix      text             NOT NULL,
  confidence         double precision NOT NULL,
  learning_context   jsonb,
  corrected_query    text,
  user_feedback      text,
  user_correction    text,
  message_id         text             COLLATE "C",
  validation_type    text             NOT NULL DEFAULT 'syntax',
  retry_count        integer          NOT NULL DEFAULT 0,
  pattern_hash       text             COLLATE "C",
  resolution_time_ms bigint,
  validation_passed  boolean,
  feedback_at        timestamptz,
  active             boolean          NOT NULL DEFAULT true,
  revision           bigint           NOT NULL DEFAULT 1,
  created_at         timestamptz      NOT NULL DEFAULT now(),
  updated_at         timestamptz      NOT NULL DEFAULT now(),
  words              tsvector         NOT NULL GENERATED ALWAYS AS (
    setweight(to_tsvector('pg_catalog.english', user_intent), 'A')
    || setweight(to_tsvector('pg_catalog.english', failed_query), 'B')
    || setweight(to_tsvector('pg_catalog.english', specific_issue), 'C')) STORED,

  CONSTRAINT pk_ai_learning_memory PRIMARY KEY (tenant_id, id),
  CONSTRAINT ck_ai_learning_memory_error_type CHECK (char_length(error_type) BETWEEN 1 AND 50),
  CONSTRAINT ck_ai_learning_memory_confidence CHECK (confidence BETWEEN 0 AND 1),
  CONSTRAINT ck_ai_learning_memory_context CHECK (jsonb_typeof(learning_context) = 'object'),
  CONSTRAINT ck_ai_learning_memory_feedback
    CHECK (user_feedback IN ('HELPFUL', 'INCORRECT', 'INCOMPLETE')),
  CONSTRAINT ck_ai_learning_memory_retry_count CHECK (retry_count >= 0),
  CONSTRAINT ck_ai_learning_memory_revision CHECK (revision > 0)
);
-- ListLearningEntries.
CREATE INDEX ix_ai_learning_memory_created
  ON monitoring.ai_learning_memory (tenant_id, created_at, id);
-- FindSimilarLearningEntries and ListLearningEntries of a type of error.
CREATE INDEX ix_ai_learning_memory_error_type
  ON monitoring.ai_learning_memory (tenant_id, error_type, created_at, id);
-- FindSimilarLearningEntries, and which entries go first.
CREATE INDEX ix_ai_learning_memory_confidence
  ON monitoring.ai_learning_memory (tenant_id, confidence, created_at, id);
-- ListLearningEntries of a message.
CREATE INDEX ix_ai_learning_memory_message
  ON monitoring.ai_learning_memory (tenant_id, message_id, created_at, id)
  WHERE message_id IS NOT NULL;
-- ListLearningEntries of a pattern.
CREATE INDEX ix_ai_learning_memory_pattern
  ON monitoring.ai_learning_memory (tenant_id, pattern_hash, created_at, id)
  WHERE pattern_hash IS NOT NULL;

ALTER TABLE monitoring.prediction_log ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.pending_outcomes ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.prediction_figures ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.calibration_bins ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.monitored_models ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.detection_runs ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.anomaly_alerts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.alert_silences ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.detection_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE monitoring.ai_learning_memory ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON monitoring.prediction_log
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.pending_outcomes
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.prediction_figures
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.calibration_bins
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.monitored_models
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.detection_runs
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.anomaly_alerts
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.alert_silences
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.detection_settings
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY tenant ON monitoring.ai_learning_memory
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY sweeping ON monitoring.pending_outcomes TO rapport_system USING (true);
CREATE POLICY sweeping ON monitoring.monitored_models TO rapport_system USING (true);
CREATE POLICY sweeping ON monitoring.detection_runs TO rapport_system USING (true);
CREATE POLICY sweeping ON monitoring.anomaly_alerts TO rapport_system USING (true);
CREATE POLICY sweeping ON monitoring.detection_settings TO rapport_system USING (true);
GRANT SELECT, INSERT, UPDATE ON monitoring.prediction_log TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON monitoring.pending_outcomes TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON monitoring.prediction_figures TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON monitoring.calibration_bins TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON monitoring.monitored_models TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON monitoring.detection_runs TO rapport_server;
GRANT SELECT, INSERT, UPDATE ON monitoring.anomaly_alerts TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON monitoring.alert_silences TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON monitoring.detection_settings TO rapport_server;
GRANT SELECT, INSERT, UPDATE, DELETE ON monitoring.ai_learning_memory TO rapport_server;
GRANT SELECT ON monitoring.contributions TO rapport_server;
GRANT SELECT ON monitoring.monitored_models, monitoring.detection_runs,
  monitoring.anomaly_alerts, monitoring.detection_settings TO rapport_system;
GRANT SELECT, DELETE ON monitoring.pending_outcomes TO rapport_system;
