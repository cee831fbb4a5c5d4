package io.rapport.search.query;

import com.google.protobuf.FieldMask;
import io.grpc.Status.Code;
import io.rapport.platform.Caller;
import io.rapport.platform.ServiceException;
import io.rapport.platform.resource.EntityTable;
import io.rapport.platform.resource.Sql;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.v1.RelatedFilter;
import io.rapport.search.v1.SearchSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.function.Consumer;

/** Reads where a caller wants to look. */
final class Sources {
  private static final int MAX_DEPTH = 3;

  private final SearchKinds kinds;

  Sources(SearchKinds kinds) {
    this.kinds = kinds;
  }

  /**
   * Where to look.
   *
   * @param refused kinds that are left out because the caller may not read them
   */
  record Places(List<Source> sources, List<Kind> refused) {}

  /** What is named, or else everything that the caller may read. */
  Places read(Caller caller, List<SearchSource> named) {
    if (named.isEmpty()) {
      return all(caller);
    }
    Set<Kind> seen = new HashSet<>();
    List<Source> sources = new ArrayList<>();
    for (int i = 0; i < named.size(); i++) {
      String path = "sources[" + i + "]";
      Source source = source(caller, named.get(i), path);
      if (!seen.add(source.kind())) {
        throw invalid(path + ".kind", "is there twice");
      }
      sources.add(source);
    }
    return new Places(sources, List.of());
  }

  private Places all(Caller caller) {
    List<Source> sources = new ArrayList<>();
    List<Kind> refused = new ArrayList<>();
    for (Kind kind : kinds.all()) {
      if (caller.may(kind.right())) {
        sources.add(
            new Source(kind, caller.tenant().id(), List.of(), 0, FieldMask.getDefaultInstance()));
      } else {
        refused.add(kind);
      }
    }
    return new Places(sources, refused);
  }

  /** The kind, which the caller must be allowed to read. */
  Kind readable(Caller caller, String name, String path) {
    Kind kind = kinds.get(name, path);
    require(caller, kind, path);
    return kind;
  }

  private static void require(Caller caller, Kind kind, String path) {
    if (!caller.may(kind.right())) {
      throw ServiceException.of(
              Code.PERMISSION_DENIED,
              ErrorReason.RIGHT_MISSING,
              path + ": to search " + kind.name() + " needs the right " + kind.right())
          .with("right", kind.right())
          .with("kind", kind.name());
    }
  }

  private Source source(Caller caller, SearchSource named, String path) {
    Kind kind = readable(caller, named.getKind(), path + ".kind");
    EntityTable table = kind.table();
    if (table != null) {
      table.check(named.getReadMask(), path + ".read_mask");
    } else if (named.getReadMask().getPathsCount() > 0) {
      throw invalid(path + ".read_mask", kind.name() + " has no fields to choose from");
    }
    UUID tenant = caller.tenant().id();
    List<Consumer<Sql>> conditions = new ArrayList<>();
    if (named.hasFilter()) {
      SearchKinds.Filter filter = kinds.filter(named.getFilter(), path + ".filter");
      if (!filter.kind().equals(kind) || table == null) {
        throw invalid(path + ".filter", "must be that of " + kind.name());
      }
      conditions.addAll(table.conditions(filter.message(), filter.path()));
    }
    for (int i = 0; i < named.getRelatedCount(); i++) {
      String at = path + ".related[" + i + "]";
      conditions.add(new Relation(caller, tenant).of(kind, named.getRelated(i), at, 1));
    }
    checkValues(conditions);
    return new Source(kind, tenant, conditions, named.getQuota(), named.getReadMask());
  }

  /** A value that can't be is refused now, not in the middle of a search. */
  private static void checkValues(List<Consumer<Sql>> conditions) {
    Sql sql = new Sql("");
    conditions.forEach(condition -> condition.accept(sql));
  }

  /** Follows references between tables, in either direction. */
  private final class Relation {
    private final Caller caller;
    private final UUID tenant;

    Relation(Caller caller, UUID tenant) {
      this.caller = caller;
      this.tenant = tenant;
    }

    Consumer<Sql> of(Kind from, RelatedFilter related, String path, int depth) {
      if (depth > MAX_DEPTH) {
        throw invalid(path, "must be at most " + MAX_DEPTH + " within one another");
      }
      SearchKinds.Filter filter = kinds.filter(related.getFilter(), path + ".filter");
      Kind to = filter.kind();
      require(caller, to, path + ".filter");
      String link = link(from, to, related.getBy(), path);
      List<Consumer<Sql>> conditions = new ArrayList<>();
      EntityTable table = Objects.requireNonNull(to.table());
      conditions.addAll(table.conditions(filter.message(), filter.path()));
      for (int i = 0; i < related.getRelatedCount(); i++) {
        conditions.add(of(to, related.getRelated(i), path + ".related[" + i + "]", depth + 1));
      }
      return sql -> {
        sql.add(link + to.rows() + " t WHERE t.tenant_id = ").value(tenant.toString(), "uuid");
        conditions.forEach(condition -> condition.accept(sql.add(" AND ")));
        sql.add(")");
      };
    }

    private String link(Kind from, Kind to, String by, String path) {
      List<String> fields = new ArrayList<>();
      List<String> links = new ArrayList<>();
      EntityTable here = from.table();
      EntityTable there = to.table();
      if (here != null && there != null) {
        for (String column : here.references(there)) {
          add(column, "t." + column + " IN (SELECT t.id FROM ", by, fields, links);
        }
        for (String column : there.references(here)) {
          add(column, "t.id IN (SELECT t." + column + " FROM ", by, fields, links);
        }
      }
      if (fields.isEmpty()) {
        throw invalid(
            path + ".filter",
            "neither of %s and %s refers to the other".formatted(from.name(), to.name()));
      }
      if (links.size() != 1) {
        throw invalid(path + ".by", "must be one of " + String.join(", ", fields));
      }
      return links.getFirst();
    }

    private static void add(
        String column, String link, String by, List<String> fields, List<String> links) {
      fields.add(column);
      if (by.isEmpty() || by.equals(column)) {
        links.add(link);
      }
    }
  }

  private static ServiceException invalid(String path, String description) {
    return ServiceException.invalid(path, ErrorReason.INVALID_FIELD, description);
  }
}
