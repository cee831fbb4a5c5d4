DROP TABLE versioning.model_performance;
DROP TABLE versioning.promotion_policies;
DROP TABLE versioning.traffic_splits;
DROP TABLE versioning.model_activations;
DROP TABLE versioning.model_versions;
DROP TABLE versioning.model_training_events;
DROP FUNCTION versioning.require_active_version();
DROP FUNCTION versioning.check_training_step();
DROP FUNCTION versioning.is_training_step(text, text);
