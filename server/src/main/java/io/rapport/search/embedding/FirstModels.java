package io.rapport.search.embedding;

import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.TenantDb;
import io.rapport.search.Embedder;
import io.rapport.search.Embedders;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.UUID;

/** Starts a model for the kinds of a tenant that never had one. */
final class FirstModels {
  private final TenantDb db;
  private final ChangeLog changes;
  private final Kinds kinds;
  private final WorkStore work = new WorkStore();
  private final Switching switching;

  FirstModels(TenantDb db, ChangeLog changes, Kinds kinds, Embedders embedders) {
    this.db = db;
    this.changes = changes;
    this.kinds = kinds;
    this.switching = new Switching(kinds, embedders);
  }

  void start(UUID tenant, Embedder embedder) {
    List<String> owned =
        kinds.all().values().stream()
            .filter(kind -> !kind.global())
            .map(KindStore.Kind::name)
            .toList();
    Set<String> without = db.read(tenant, dsl -> work.withoutModel(dsl, tenant, owned));
    for (String kind : owned) {
      if (without.contains(kind)) {
        start(tenant, kind, embedder);
      }
    }
  }

  private void start(UUID tenant, String kind, Embedder embedder) {
    long position =
        db.write(
            tenant,
            dsl -> {
              List<Change> made = new ArrayList<>();
              switching.start(
                  new Switching.Writing(dsl, made::add),
                  new Puts.Texts(tenant, kind),
                  embedder.model(),
                  embedder.dimensions());
              return changes.append(dsl, tenant, made);
            });
    if (position > 0) {
      changes.committed(tenant);
    }
  }
}
