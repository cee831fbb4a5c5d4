package io.rapport.versioning.dataset;

import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.NumberSubscriber;

/**
 * Counts events toward the datasets that they feed, in the commit that records them. The counts are
 * written under the lock of the tenant's head, for which its commits queue anyway; see
 * docs/adr/0010.
 */
final class CountSubscriber implements NumberSubscriber {
  private static final String TYPES =
      """
      ARRAY(SELECT DISTINCT c.event_type FROM changes c
             WHERE c.tenant_id = numbered.tenant_id)\
      """;

  /** The events themselves are read only where a source has conditions. */
  private static final String COUNTED =
      """
      CASE WHEN versioning.is_fed(numbered.tenant_id, TYPES) THEN COALESCE((
        SELECT jsonb_object_agg(k.id, jsonb_build_array(k.sources_revision, k.n))
          FROM (
            SELECT d.id, d.sources_revision, sum(CASE WHEN s.conditions = '[]'
                THEN (SELECT sum(c.row_count) FROM changes c
                       WHERE c.tenant_id = s.tenant_id AND c.event_type = s.event_type)
                ELSE (SELECT count(*) FROM events e
                       WHERE e.tenant_id = s.tenant_id AND e.event_type = s.event_type
                         AND versioning.matches(s.conditions, e.event_data)) END) AS n
              FROM versioning.training_datasets d
              JOIN versioning.dataset_sources s
                ON s.tenant_id = d.tenant_id AND s.dataset_id = d.id
             WHERE d.tenant_id = numbered.tenant_id AND s.event_type = ANY (TYPES)
             GROUP BY d.id, d.sources_revision) k), '{}') END\
      """
          .replace("TYPES", TYPES);

  @Override
  public boolean concerns(String kind) {
    return kind.equals(ChangeSubscriber.EVENT);
  }

  @Override
  public String call(String number) {
    return "versioning.count_events(numbered.tenant_id, %s, %s, %s)"
        .formatted(number, TYPES, COUNTED);
  }
}
