package io.rapport.search;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What this server can make vectors with, and which models searches go by. */
public final class Embedders implements AutoCloseable {
  private final Map<String, Embedder> byModel;
  private final ActiveModelStore models = new ActiveModelStore();

  public Embedders(Collection<? extends Embedder> embedders) {
    this.byModel =
        embedders.stream()
            .collect(Collectors.toUnmodifiableMap(Embedder::model, Function.identity()));
  }

  /** All that this server has. */
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
