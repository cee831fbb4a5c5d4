-- Why a candidate has its share, who gave it, and which gates were overridden for it.
ALTER TABLE versioning.traffic_splits
  ADD COLUMN reason text,
  ADD COLUMN set_by text,
  ADD COLUMN overrides jsonb,
  ADD CONSTRAINT ck_traffic_splits_overrides CHECK (jsonb_typeof(overrides) = 'object');
