package io.rapport.platform.resource;

import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import io.grpc.Status.Code;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Etags;
import io.rapport.platform.Ids;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Transaction;
import io.rapport.platform.resource.Consequence.Written;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.UpsertOutcome.Result;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Writes entities of one kind, as part of a transaction. */
final class Writer {
  /** How often an upsert looks again at what others were writing. */
  private static final int ROUNDS = 10;

  private final Mapping mapping;
  private final RowStore rows;
  private final Reader reader;
  private final @Nullable Rule<Message> rule;
  private final @Nullable Consequence<Message> consequence;

  Writer(
      Mapping mapping,
      RowStore rows,
      Reader reader,
      @Nullable Rule<Message> rule,
      @Nullable Consequence<Message> consequence) {
    this.mapping = mapping;
    this.rows = rows;
    this.reader = reader;
    this.rule = rule;
    this.consequence = consequence;
  }

  private interface Work<T> {
    T on(Connection connection) throws SQLException;
  }

  private static <T> T on(Transaction tx, Work<T> work) {
    return tx.dsl().connectionResult(work::on);
  }

  Message create(Transaction tx, Message entity, String path) {
    requireWhole(entity, path);
    String id = newId(entity, path);
    Row row = on(tx, db -> rows.insert(db, tx.tenant(), id, entity, path));
    return written(tx, List.of(row), Op.CREATED, path);
  }

  private static String newId(String chosen, String path) {
    return chosen.isEmpty() ? Ids.next().toString() : new Codec.Ids().text(chosen, path + ".id");
  }

  private String newId(Message entity, String path) {
    return newId(mapping.id(entity), path);
  }

  private void requireWhole(Message entity, String path) {
    for (Column column : mapping.required()) {
      requireKept(column, entity, path);
    }
  }

  private static void requireKept(Column column, Message entity, String path) {
    if (column.isRequired() && !column.isSet(entity)) {
      throw invalid(path + "." + column.name(), "is required");
    }
  }

  private static ServiceException invalid(String path, String description) {
    return ServiceException.invalid(path, ErrorReason.INVALID_FIELD, description);
  }

  /**
   * @param mask empty: the fields that are set
   */
  Message update(Transaction tx, Message entity, FieldMask mask, String path) {
    Fields fields = mask.getPathsCount() == 0 ? null : Fields.update(mask, mapping);
    if (mapping.etag(entity).isEmpty()) {
      throw invalid(path + ".etag", "is required: send the one that was read");
    }
    Row before = lock(tx, mapping.id(entity), mapping.etag(entity), path);
    List<Column> columns = changing(entity, fields, before, path);
    Optional<Row> after =
        on(tx, db -> rows.update(db, tx.tenant(), before.id(), columns, entity, path));
    return after
        .map(row -> written(tx, List.of(before, row), Op.UPDATED, path))
        .orElseGet(() -> finished(tx, before, path));
  }

  private Row lock(Transaction tx, String id, String etag, String path) {
    if (id.isEmpty()) {
      throw invalid(path + ".id", "is required");
    }
    String uuid = new Codec.Ids().text(id, path + ".id");
    Row row =
        on(tx, db -> rows.lock(db, tx.tenant(), uuid))
            .orElseThrow(() -> ServiceException.notFound(mapping.noun(), id));
    Etags.require(mapping.noun(), id, Etags.of(row.revision()), etag);
    return row;
  }

  /** The columns to write. */
  private List<Column> changing(Message entity, @Nullable Fields fields, Row before, String path) {
    List<Column> columns = new ArrayList<>();
    Message stored = before.entity().build();
    for (Column column : mapping.writable()) {
      boolean named = fields == null ? column.isSet(entity) : fields.test(column.name());
      if (named && column.isImmutable()) {
        requireSame(column, entity, stored, path);
      } else if (named) {
        requireKept(column, entity, path);
        columns.add(column);
      }
    }
    return columns;
  }

  private static void requireSame(Column column, Message entity, Message stored, String path) {
    String sent = column.text(entity, path);
    if (sent != null && !sent.equals(column.text(stored, path))) {
      throw invalid(path + "." + column.name(), "can't be changed once it is set");
    }
  }

  void delete(Transaction tx, String id, String etag, boolean hard) {
    Row row = lock(tx, id, etag, mapping.noun());
    if (hard) {
      on(
          tx,
          db -> {
            rows.delete(db, tx.tenant(), row.id());
            return row;
          });
      deleted(tx, row);
    } else {
      on(tx, db -> rows.deactivate(db, tx.tenant(), row.id())).ifPresent(it -> deleted(tx, it));
    }
  }

  private void deleted(Transaction tx, Row row) {
    tx.changed(change(row, Op.DELETED));
    follow(tx, List.of(row));
  }

  /**
   * Lets entities be there as they were sent.
   *
   * @param mask the fields to change of those that are there; empty: those that are set
   * @return what was done with each, in their order
   */
  List<UpsertBatch.Done> upsert(Transaction tx, List<UpsertBatch.Item> items, FieldMask mask) {
    Fields fields = mask.getPathsCount() == 0 ? null : Fields.update(mask, mapping);
    items.forEach(item -> requireWhole(item.entity(), item.path()));
    requireDistinct(items);
    List<UpsertBatch.Done> done = run(tx, items, fields);
    for (UpsertBatch.Done it : done) {
      if (it.result() != Result.UNCHANGED) {
        Op op = it.result() == Result.CREATED ? Op.CREATED : Op.UPDATED;
        tx.changed(
            new Change(mapping.kind(), op, UUID.fromString(it.id()), it.user(), it.revision()));
      }
    }
    check(tx, items, done);
    follow(tx, items, done);
    return done;
  }

  UpsertBatch.Item item(Message entity, String path) {
    return new UpsertBatch.Item(entity, newId(entity, path), path);
  }

  private void requireDistinct(List<UpsertBatch.Item> items) {
    Map<List<String>, String> paths = new HashMap<>();
    for (UpsertBatch.Item item : items) {
      List<String> key = new ArrayList<>();
      for (Column column : mapping.key()) {
        key.add(column.folded(String.valueOf(requireKey(column, item))));
      }
      String first = paths.putIfAbsent(key, item.path());
      if (first != null) {
        String fields = String.join(", ", mapping.key().stream().map(Column::name).toList());
        throw ServiceException.invalid(
            ErrorReason.INVALID_FIELD,
            List.of(twice(first, item.path(), fields), twice(item.path(), first, fields)));
      }
    }
  }

  private static com.google.rpc.BadRequest.FieldViolation twice(
      String path, String other, String fields) {
    return ServiceException.violation(
        path, ErrorReason.INVALID_FIELD, "has the same " + fields + " as " + other);
  }

  private static @Nullable String requireKey(Column column, UpsertBatch.Item item) {
    String text = column.text(item.entity(), item.path());
    if (text == null && !column.isOptionalInKey()) {
      throw invalid(item.path() + "." + column.name(), "is required: it names the entity");
    }
    return text;
  }

  private List<UpsertBatch.Done> run(
      Transaction tx, List<UpsertBatch.Item> items, @Nullable Fields fields) {
    Map<String, UpsertBatch.Done> done = new HashMap<>();
    for (UpsertBatch part : UpsertBatch.parts(mapping, tx.tenant(), items, fields)) {
      List<UpsertBatch.Done> some = run(tx, part);
      for (int i = 0; i < some.size(); i++) {
        done.put(part.items().get(i).path(), some.get(i));
      }
    }
    return items.stream().map(it -> Objects.requireNonNull(done.get(it.path()))).toList();
  }

  private List<UpsertBatch.Done> run(Transaction tx, UpsertBatch batch) {
    List<UpsertBatch.@Nullable Done> all = on(tx, db -> rows.upsert(db, batch));
    for (int round = 1; all.contains(null); round++) {
      if (round == ROUNDS) {
        throw ServiceException.of(
            Code.ABORTED, ErrorReason.TX_CONFLICT, "other transactions were in the way; repeat");
      }
      again(tx, batch, all);
    }
    List<UpsertBatch.Done> done = new ArrayList<>(all.size());
    all.forEach(it -> done.add(Objects.requireNonNull(it)));
    return done;
  }

  /** Does again what another transaction was first with; it has ended now. */
  private void again(Transaction tx, UpsertBatch batch, List<UpsertBatch.@Nullable Done> all) {
    List<Integer> open = new ArrayList<>();
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i) == null) {
        open.add(i);
      }
    }
    UpsertBatch rest = batch.only(open.stream().map(batch.items()::get).toList());
    List<UpsertBatch.@Nullable Done> done = on(tx, db -> rows.upsert(db, rest));
    for (int i = 0; i < open.size(); i++) {
      all.set(open.get(i), done.get(i));
    }
  }

  private void check(Transaction tx, List<UpsertBatch.Item> items, List<UpsertBatch.Done> done) {
    Map<String, String> paths = new HashMap<>();
    for (int i = 0; i < items.size(); i++) {
      if (done.get(i).result() != Result.UNCHANGED) {
        paths.put(done.get(i).id(), items.get(i).path());
      }
    }
    if (rule != null && !paths.isEmpty()) {
      for (Row row :
          on(tx, db -> rows.findAll(db, tx.tenant(), List.copyOf(paths.keySet()), Fields.ALL))) {
        rule.check(row.entity().build(), paths.getOrDefault(row.id(), ""));
      }
    }
  }

  /** The entity as it is in the transaction. */
  Message find(Transaction tx, String id) {
    Row row =
        on(tx, db -> rows.find(db, tx.tenant(), id, Fields.ALL))
            .orElseThrow(() -> ServiceException.notFound(mapping.noun(), id));
    return finished(tx, row);
  }

  /**
   * @param versions of one row; the last is the one that is there now
   */
  private Message written(Transaction tx, List<Row> versions, Op op, String path) {
    Row row = versions.getLast();
    tx.changed(change(row, op));
    if (consequence == null) {
      return finished(tx, row, path);
    }
    if (rule != null) {
      rule.check(row.entity().build(), path);
    }
    follow(tx, versions);
    return find(tx, row.id());
  }

  private void follow(Transaction tx, List<Row> rows) {
    if (consequence != null) {
      List<Written<Message>> written = new ArrayList<>();
      rows.forEach(it -> written.add(written(it.id(), it.entity().build())));
      consequence.follow(tx, written);
    }
  }

  private void follow(Transaction tx, List<UpsertBatch.Item> items, List<UpsertBatch.Done> done) {
    if (consequence == null) {
      return;
    }
    List<Written<Message>> written = new ArrayList<>();
    for (int i = 0; i < items.size(); i++) {
      if (done.get(i).result() != Result.UNCHANGED) {
        written.add(written(done.get(i).id(), items.get(i).entity()));
      }
    }
    if (!written.isEmpty()) {
      consequence.follow(tx, written);
    }
  }

  private static Written<Message> written(String id, Message entity) {
    return new Written<>(UUID.fromString(id), entity);
  }

  private Message finished(Transaction tx, Row row, String path) {
    if (rule != null) {
      rule.check(row.entity().build(), path);
    }
    return finished(tx, row);
  }

  private Message finished(Transaction tx, Row row) {
    reader.complete(tx.dsl(), tx.tenant(), List.of(row), Fields.ALL);
    return row.entity().build();
  }

  private Change change(Row row, Op op) {
    String name = mapping.userColumn();
    String user = name == null ? null : mapping.column(name).text(row.entity().build(), "");
    return new Change(
        mapping.kind(),
        op,
        UUID.fromString(row.id()),
        user == null ? null : UUID.fromString(user),
        row.revision());
  }
}
