-- By what data_count was reckoned: so it is known whether it can be taken off what counts later.
ALTER TABLE versioning.dataset_manifests
  -- What was recorded until then was not counted; null: all was.
  ADD COLUMN counted_since timestamptz,
  -- Of the sources; null: it isn't known, or they had changed and the count was to be made anew.
  ADD COLUMN sources_revision bigint;
