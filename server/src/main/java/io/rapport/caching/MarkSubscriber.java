package io.rapport.caching;

import io.rapport.platform.ChangeSubscriber;
import io.rapport.platform.NumberSubscriber;

/** Marks what entries depend on when it changes, in the commit that changes it. */
final class MarkSubscriber implements NumberSubscriber {
  private static final String IDENTITY = "identity.";

  private final ChangedDatasets datasets;

  MarkSubscriber(ChangedDatasets datasets) {
    this.datasets = datasets;
  }

  @Override
  public boolean concerns(String kind) {
    return kind.equals(ChangeSubscriber.EVENT)
        || kind.equals(EntryStore.VALUE_KIND)
        || kind.startsWith(IDENTITY)
        || datasets.concerns(kind);
  }

  @Override
  public String call(String number) {
    return """
    CASE WHEN caching.has_marks(tenant_id) THEN caching.mark_changed(tenant_id, %1$s, (
      SELECT array_agg(DISTINCT n.name)
        FROM changes c
       CROSS JOIN LATERAL (VALUES
          (CASE WHEN c.kind = 'event' THEN 'USER_EVENTS ' || c.user_id || ' ' || c.event_type
                WHEN c.kind = 'caching.value' THEN 'ENTRY ' || c.entity_id
                ELSE 'USER ' || c.user_id END),
          (CASE WHEN c.kind = 'event' THEN 'EVENTS ' || c.event_type END)) AS n (name)
       WHERE c.tenant_id = numbered.tenant_id AND n.name IS NOT NULL)
      || CASE WHEN caching.has_dataset_marks(tenant_id) THEN ARRAY(
        SELECT 'DATASET ' || d.name FROM unnest(%2$s) AS d (name)) END) ELSE %1$s END\
    """
        .formatted(number, datasets.names());
  }
}
