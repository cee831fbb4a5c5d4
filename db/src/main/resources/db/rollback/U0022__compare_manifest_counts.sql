ALTER TABLE versioning.dataset_manifests
  DROP COLUMN sources_revision,
  DROP COLUMN counted_since;
