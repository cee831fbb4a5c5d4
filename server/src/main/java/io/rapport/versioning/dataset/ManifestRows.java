package io.rapport.versioning.dataset;

import com.google.protobuf.ByteString;
import io.grpc.Status.Code;
import io.rapport.platform.Outbox;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.versioning.Digests;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.ManifestEnd;
import io.rapport.versioning.v1.ManifestRow;
import io.rapport.versioning.v1.StreamManifestRowsResponse;
import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;

/**
 * Sends the rows of one frozen dataset, a bounded part at a time. Which they are is told by the
 * digests that were written down, so that nothing else can get among them.
 */
final class ManifestRows {
  private static final int HALF = 16;

  private final TenantDb db;
  private final UUID tenant;
  private final UUID manifest;
  private final DatasetManifest proto;
  private final Outbox<StreamManifestRowsResponse> outbox;
  private final Function<Place, String> cursor;
  private final ManifestStore manifests = new ManifestStore();
  private final FrozenStore events = new FrozenStore();
  private final MessageDigest digest = Digests.sha256();
  private long missing;

  /** Before a row of a range. */
  record Place(int range, int row) {
    private static final int SIZE = 2 * Integer.BYTES;

    static Place of(byte[] bytes) {
      ByteBuffer buffer = ByteBuffer.wrap(bytes);
      return new Place(buffer.getInt(), buffer.getInt());
    }

    byte[] bytes() {
      return ByteBuffer.allocate(SIZE).putInt(range).putInt(row).array();
    }
  }

  /**
   * @param cursor the text of a place
   */
  ManifestRows(
      TenantDb db,
      UUID tenant,
      DatasetManifest manifest,
      Outbox<StreamManifestRowsResponse> outbox,
      Function<Place, String> cursor) {
    this.db = db;
    this.tenant = tenant;
    this.manifest = UUID.fromString(manifest.getId());
    this.proto = manifest;
    this.outbox = outbox;
    this.cursor = cursor;
  }

  void sendFrom(Place start) {
    db.read(tenant, dsl -> manifests.digestsBefore(dsl, tenant, manifest, start.range()))
        .forEach(digest::update);
    int row = start.row();
    for (int ordinal = start.range(); ; ordinal++) {
      int next = ordinal;
      Optional<ManifestStore.Range> range =
          db.read(tenant, dsl -> manifests.range(dsl, tenant, manifest, next));
      if (range.isEmpty()) {
        break;
      }
      send(range.get(), row);
      row = 0;
    }
    byte[] all = digest.digest();
    requireSame(ByteString.copyFrom(all), proto.getDigest());
    outbox.send(
        StreamManifestRowsResponse.newBuilder()
            .setEnd(
                ManifestEnd.newBuilder()
                    .setDigest(ByteString.copyFrom(all))
                    .setRowCount(proto.getRowCount())
                    .setMissingCount(missing))
            .build());
  }

  private void send(ManifestStore.Range range, int start) {
    byte[] ofRange = Digests.sha256().digest(range.rowDigests().toByteArray());
    requireSame(ByteString.copyFrom(ofRange), range.digest());
    digest.update(ofRange);
    Rows rows = new Rows(range, start);
    FrozenStore.Part part =
        db.write(tenant, tx -> events.from(tx, tenant, proto, range.first(), range.last()));
    part.rows().forEach(rows::add);
    while (part.more()) {
      outbox.requireOpen();
      rows.send();
      TimePlace sent = part.rows().getLast().place();
      part = db.write(tenant, tx -> events.after(tx, tenant, proto, sent, range.last()));
      part.rows().forEach(rows::add);
    }
    rows.addMissing(range.rows());
    rows.send();
  }

  private static void requireSame(ByteString found, ByteString expected) {
    if (!found.equals(expected)) {
      throw ServiceException.of(
          Code.DATA_LOSS,
          ErrorReason.STORAGE_CORRUPT,
          "the rows are not those that were frozen: their digests differ");
    }
  }

  /** The rows of a range, as they are found. */
  private final class Rows {
    private final ManifestStore.Range range;
    private final Map<ByteString, Integer> places = new HashMap<>();
    private StreamManifestRowsResponse.Builder message = StreamManifestRowsResponse.newBuilder();
    private int next;

    private Rows(ManifestStore.Range range, int start) {
      this.range = range;
      this.next = start;
      for (int i = start; i < range.rows(); i++) {
        places.put(idDigest(i), i);
      }
    }

    private ByteString idDigest(int row) {
      return range.rowDigests().substring(row * 2 * HALF, (row * 2 + 1) * HALF);
    }

    /** Those that were not frozen, or were sent before, are passed over. */
    private void add(FrozenStore.Present row) {
      Integer place = places.get(row.digests().substring(0, HALF));
      if (place == null || place < next) {
        return;
      }
      addMissing(place);
      int at = place * 2 * HALF;
      requireSame(row.digests(), range.rowDigests().substring(at, at + 2 * HALF));
      message.addRows(ManifestRow.newBuilder().setPresent(row.row()));
      next = place + 1;
    }

    private void addMissing(int before) {
      for (; next < before; next++) {
        message.addRows(ManifestRow.newBuilder().setMissingIdDigest(idDigest(next)));
        missing++;
      }
    }

    private void send() {
      if (message.getRowsCount() > 0) {
        boolean ended = next == range.rows();
        Place place = ended ? new Place(range.ordinal() + 1, 0) : new Place(range.ordinal(), next);
        outbox.send(message.setCursor(cursor.apply(place)).build());
        message = StreamManifestRowsResponse.newBuilder();
      }
    }
  }
}
