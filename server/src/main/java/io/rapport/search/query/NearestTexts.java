package io.rapport.search.query;

import com.google.protobuf.FieldMask;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.search.Embedder;
import io.rapport.search.EmbedderException;
import io.rapport.search.Embedders;
import io.rapport.search.IndexSearches;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Finds what means something like a text, for other areas. */
final class NearestTexts {
  private static final double ANY_DISTANCE = 3;

  private final TenantDb db;
  private final SearchKinds kinds;
  private final Embedders embedders;
  private final MeaningSearch search = new MeaningSearch(IndexSearches.IGNORED);

  NearestTexts(TenantDb db, SearchKinds kinds, Embedders embedders) {
    this.db = db;
    this.kinds = kinds;
    this.embedders = embedders;
  }

  Optional<Map<UUID, Double>> find(UUID tenant, String name, String text, int count) {
    Kind kind = kinds.get(name, "kind");
    NearestStore.Direction direction = direction(tenant, kind, text);
    if (direction == null) {
      return Optional.empty();
    }
    Source source = new Source(kind, tenant, List.of(), 0, FieldMask.getDefaultInstance());
    Lookup lookup = new Lookup(source, count, count, ANY_DISTANCE, List.of(), null, null, false);
    Leg leg =
        db.autoCommit(
            tenant,
            connection ->
                search.find(
                    connection,
                    lookup,
                    direction,
                    new MeaningSearch.Manner(false, 0),
                    new Steps()));
    Map<UUID, Double> cosines = new LinkedHashMap<>();
    leg.candidates().forEach(it -> cosines.put(it.id(), 1 - it.distance()));
    return Optional.of(cosines);
  }

  private NearestStore.@Nullable Direction direction(UUID tenant, Kind kind, String text) {
    String model =
        db.autoCommit(
                tenant, connection -> embedders.active(connection, tenant, List.of(kind.name())))
            .get(kind.name());
    Embedder embedder = model == null ? null : embedders.find(model).orElse(null);
    if (model == null || embedder == null) {
      return null;
    }
    try {
      return new NearestStore.Direction(
          model, Embedding.unit(embedder.embed(List.of(text)).getFirst(), "text"));
    } catch (EmbedderException | ServiceException e) {
      return null; // who asks does without
    }
  }
}
