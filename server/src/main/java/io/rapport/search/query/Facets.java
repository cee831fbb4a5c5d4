package io.rapport.search.query;

import io.rapport.platform.ServiceException;
import io.rapport.platform.resource.EntityTable;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.v1.FacetCounts;
import io.rapport.search.v1.SearchFacet;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The values of fields among what passes. */
final class Facets {
  private static final int USUAL_LIMIT = 10;

  private final FacetStore store = new FacetStore();

  /** A field of a kind that has it. */
  record Facet(Source source, String column, int limit) {}

  /** Refuses fields that no kind has. */
  List<Facet> read(List<SearchFacet> asked, List<Source> sources) {
    List<Facet> facets = new ArrayList<>();
    for (int i = 0; i < asked.size(); i++) {
      SearchFacet facet = asked.get(i);
      int limit = facet.getLimit() == 0 ? USUAL_LIMIT : facet.getLimit();
      int before = facets.size();
      for (Source source : sources) {
        column(source.kind(), facet.getField())
            .ifPresent(column -> facets.add(new Facet(source, column, limit)));
      }
      if (facets.size() == before) {
        throw ServiceException.invalid(
            "facets[" + i + "].field",
            ErrorReason.INVALID_FIELD,
            "must be a field that one of the kinds can be filtered by");
      }
    }
    return facets;
  }

  static Optional<String> column(Kind kind, String field) {
    EntityTable table = kind.table();
    return table == null ? Optional.empty() : table.filterableColumn(field);
  }

  List<FacetCounts> count(Connection db, List<Facet> facets, @Nullable String words)
      throws SQLException {
    List<FacetCounts> counts = new ArrayList<>();
    for (Facet facet : facets) {
      counts.add(store.values(db, facet.source(), words, facet.column(), facet.limit()));
    }
    return counts;
  }
}
