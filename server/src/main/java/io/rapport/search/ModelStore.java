package io.rapport.search;

import java.util.Collection;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;

/** Which models searches go by, in PostgreSQL. */
final class ModelStore {
  Map<String, String> active(DSLContext dsl, UUID tenant, Collection<String> kinds) {
    return dsl
        .fetch(
            """
            SELECT kind, model FROM search.embedding_models
             WHERE tenant_id IN ({0}, '00000000-0000-0000-0000-000000000000')
               AND kind = ANY ({1}) AND state = 'ACTIVE'
            """,
            DSL.val(tenant), DSL.val(kinds.toArray(String[]::new)))
        .stream()
        .collect(
            Collectors.toUnmodifiableMap(
                row -> row.get(0, String.class), row -> row.get(1, String.class)));
  }
}
