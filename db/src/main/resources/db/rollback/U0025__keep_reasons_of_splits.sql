ALTER TABLE versioning.traffic_splits
  DROP COLUMN overrides,
  DROP COLUMN set_by,
  DROP COLUMN reason;
