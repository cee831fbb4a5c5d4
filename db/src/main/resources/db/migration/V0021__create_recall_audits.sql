-- How well searches by an index find what there is, and what those indexes are at.

-- Searches that were done once more row by row. What a tenant searches is nobody else's business,
-- so a row tells figures only.
CREATE TABLE search.recall_audits (
  tenant_id       uuid             NOT NULL,
  id              uuid             NOT NULL,
  kind            text             NOT NULL COLLATE "C",
  model           text             NOT NULL COLLATE "C",
  source          text             NOT NULL,
  neighbours      integer          NOT NULL,
  searches        integer          NOT NULL,
  expected        bigint           NOT NULL,
  found           bigint           NOT NULL,
  lowest_recall   double precision NOT NULL,
  duration_millis double precision NOT NULL,
  audited_at      timestamptz      NOT NULL DEFAULT now(),

  CONSTRAINT pk_recall_audits PRIMARY KEY (tenant_id, id),
  CONSTRAINT ck_recall_audits_source CHECK (source IN ('SEARCHES', 'STORED_ROWS')),
  CONSTRAINT ck_recall_audits_neighbours CHECK (neighbours > 0),
  CONSTRAINT ck_recall_audits_searches CHECK (searches > 0),
  CONSTRAINT ck_recall_audits_found CHECK (found BETWEEN 0 AND expected AND expected > 0),
  CONSTRAINT ck_recall_audits_lowest CHECK (lowest_recall BETWEEN 0 AND 1)
);
-- ListRecallAudits.
CREATE INDEX ix_recall_audits_audited ON search.recall_audits (tenant_id, audited_at, id);
-- GetRecall, and what is to be audited next.
CREATE INDEX ix_recall_audits_kind ON search.recall_audits (tenant_id, kind, model, audited_at);
-- ListAllRecallAudits, the gauges, and what is too old to be kept.
CREATE INDEX ix_recall_audits_all ON search.recall_audits (audited_at, id);

ALTER TABLE search.recall_audits ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY tenant ON search.recall_audits
  USING (tenant_id = (SELECT platform.current_tenant()));
CREATE POLICY system ON search.recall_audits TO rapport_system USING (true);
GRANT SELECT, INSERT ON search.recall_audits TO rapport_server;
GRANT SELECT, DELETE ON search.recall_audits TO rapport_system;

-- The indexes of vectors, by kind, and how far a build of one is. Only who builds an index may see
-- how far it is, so this has its owner's rights, who is the migrator.
CREATE FUNCTION search.indexes() RETURNS TABLE (kind text, name text, valid boolean, bytes bigint,
    estimated_rows bigint, phase text, rows_done bigint, rows_total bigint, blocks_done bigint,
    blocks_total bigint, started_at timestamptz)
  LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT substring(pg_get_expr(t.relpartbound, t.oid) FROM '''([^'']*)'''), x.relname::text,
      i.indisvalid, pg_relation_size(x.oid), GREATEST(t.reltuples, 0)::bigint,
      p.phase, p.tuples_done, p.tuples_total, p.blocks_done, p.blocks_total, a.query_start
    FROM pg_inherits h
    JOIN pg_class t ON t.oid = h.inhrelid
    JOIN pg_index i ON i.indrelid = t.oid
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_am m ON m.oid = x.relam AND m.amname = 'hnsw'
    LEFT JOIN pg_stat_progress_create_index p
      ON p.relid = t.oid AND p.datname = current_database()
    LEFT JOIN pg_stat_activity a ON a.pid = p.pid
   WHERE h.inhparent = 'search.embeddings'::regclass
$$;
REVOKE ALL ON FUNCTION search.indexes() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search.indexes() TO rapport_server, rapport_system;

-- Alerts are raised by the service's watch over itself, too.
ALTER TABLE monitoring.anomaly_alerts DROP CONSTRAINT ck_anomaly_alerts_cause;
ALTER TABLE monitoring.anomaly_alerts ADD CONSTRAINT ck_anomaly_alerts_cause
  CHECK (cause IN ('RAISED', 'DETECTION', 'AUDIT')) NOT VALID;
ALTER TABLE monitoring.anomaly_alerts VALIDATE CONSTRAINT ck_anomaly_alerts_cause;
