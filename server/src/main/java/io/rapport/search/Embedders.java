package io.rapport.search;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** What this server can make vectors with, and which models searches go by. */
public final class Embedders implements AutoCloseable {
  private final Map<String, Embedder> byModel;
  private final ActiveModelStore models = new ActiveModelStore();

  public Embedders(Collection<? extends Embedder> embedders) {
    Map<String, Embedder> ordered = new LinkedHashMap<>();
    for (Embedder embedder : embedders) {
      if (ordered.putIfAbsent(embedder.model(), embedder) != null) {
        throw new IllegalArgumentException("two embedders of the model " + embedder.model());
      }
    }
    this.byModel = Collections.unmodifiableMap(ordered);
  }

  /** All that this server has, in the order in which they were given. */
  public List<Embedder> all() {
    return List.copyOf(byModel.values());
  }

  /** What makes vectors of a model; empty if this server has nothing that does. */
  public Optional<Embedder> find(String model) {
    return Optional.ofNullable(byModel.get(model));
  }

  /**
   * The model that searches of a tenant go by, for each of the kinds that has one. That of a kind
   * that no tenant owns is the same for all.
   */
  public Map<String, String> active(Connection db, UUID tenant, Collection<String> kinds)
      throws SQLException {
    return models.active(db, tenant, kinds);
  }

  @Override
  public void close() {
    byModel.values().forEach(Embedder::close);
  }
}
