-- Finding texts by their words through an index, under row-level security (docs/adr/0015).

-- A tenant's texts by their words. The list of what isn't sorted in yet is read by every search,
-- so it is kept short.
CREATE INDEX ix_documents_words ON search.documents USING gin (tenant_id, words)
  WITH (gin_pending_list_limit = 1024);

-- The current tenant's texts of a kind that have words, and how well they do, in no order. Of more
-- than `at_most` these are just any. Under a policy PostgreSQL asks no index by @@, which isn't
-- leakproof; so the function has its owner's rights, and names the tenant itself.
CREATE FUNCTION search.match_words(searched_kind text, query tsquery, at_most integer)
  RETURNS TABLE (id uuid, rank double precision)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RETURN QUERY EXECUTE format($sql$
    SELECT d.id, ts_rank_cd(d.words, $2, 1 | 32)::float8 FROM search.documents d
     WHERE d.tenant_id = $1 AND d.kind = %L AND d.words @@ $2 LIMIT $3 $sql$, searched_kind)
  USING platform.current_tenant(), query, at_most;
END $$;
REVOKE ALL ON FUNCTION search.match_words(text, tsquery, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION search.match_words(text, tsquery, integer) TO rapport_server;
