package io.rapport.search.query;

import io.grpc.ServerServiceDefinition;
import io.rapport.identity.v1.User;
import io.rapport.monitoring.v1.LearningEntry;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rules;
import io.rapport.platform.TenantDb;
import io.rapport.platform.resource.Completion;
import io.rapport.search.Embedders;
import io.rapport.search.IndexSearches;
import java.util.Collection;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jooq.DSLContext;

/** Builds what belongs to searches. */
public final class SearchFeature {
  private final SearchService service;
  private final NearestTexts nearest;

  /**
   * What searches need of other areas.
   *
   * @param users sets the fields of users that have no column
   */
  public record Areas(Completion<User.Builder> users, LearningEntries learningEntries) {}

  /** Reads what assistants got wrong. */
  @FunctionalInterface
  public interface LearningEntries {
    Map<UUID, LearningEntry> read(DSLContext dsl, UUID tenant, Collection<UUID> ids);
  }

  /**
   * @param graphSearches is told of searches by the graph
   */
  public SearchFeature(TenantDb db, Embedders embedders, Areas areas, IndexSearches graphSearches) {
    SearchKinds kinds = new SearchKinds(areas);
    this.service = new SearchService(db, kinds, embedders, graphSearches);
    this.nearest = new NearestTexts(db, kinds, embedders);
  }

  /**
   * The entities of a kind whose texts mean something like this one, with their cosines, the most
   * alike first; empty if this can't be told: the kind has no active model, or the server can't
   * embed by it.
   */
  public Optional<Map<UUID, Double>> nearest(UUID tenant, String kind, String text, int count) {
    return nearest.find(tenant, kind, text, count);
  }

  /**
   * @param rules those of the contract, for the searches of a batch
   */
  public ServerServiceDefinition service(Rpcs rpcs, Rules rules) {
    return service.bind(rpcs, rules);
  }
}
