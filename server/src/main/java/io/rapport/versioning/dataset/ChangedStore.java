package io.rapport.versioning.dataset;

import io.rapport.platform.ChangeSubscriber;

/** Which datasets a commit changes, in PostgreSQL. */
final class ChangedStore {
  private static final String NAMES =
      """
      versioning.changed_datasets(numbered.tenant_id,
        ARRAY(SELECT DISTINCT c.event_type FROM changes c
               WHERE c.tenant_id = numbered.tenant_id AND c.event_type IS NOT NULL),
        ARRAY(SELECT c.entity_id FROM changes c
               WHERE c.tenant_id = numbered.tenant_id AND c.kind = '%s'))\
      """
          .formatted(DatasetStore.KIND);

  private ChangedStore() {}

  static boolean concerns(String kind) {
    return kind.equals(ChangeSubscriber.EVENT) || kind.equals(DatasetStore.KIND);
  }

  /** An expression: the types of those that are changed themselves, or fed. */
  static String names() {
    return NAMES;
  }
}
