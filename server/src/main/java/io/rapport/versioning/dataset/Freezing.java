package io.rapport.versioning.dataset;

import com.google.protobuf.ByteString;
import io.rapport.platform.TimePlace;
import io.rapport.versioning.Digests;
import io.rapport.versioning.v1.DatasetManifest;
import io.rapport.versioning.v1.EventTypeCount;
import java.io.ByteArrayOutputStream;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Writes down the rows of one dataset, in ranges. */
final class Freezing {
  /** Rows of a range; there are not too many of them, and reading one doesn't take too much. */
  private static final int FEW = 2_000;

  private static final int MANY = 20_000;
  private static final int MANY_FROM = 1_000;

  private final DSLContext tx;
  private final UUID tenant;
  private final ManifestStore manifests;
  private final UUID id;
  private final MessageDigest digest = Digests.sha256();
  private final SortedMap<String, Long> types = new TreeMap<>();
  private final ByteArrayOutputStream digests = new ByteArrayOutputStream();
  private @Nullable TimePlace first;
  private int ordinal;
  private int inRange;
  private long rows;
  private TimePlace last = new TimePlace(Instant.EPOCH, new UUID(0, 0));

  Freezing(DSLContext tx, UUID tenant, ManifestStore manifests, UUID id) {
    this.tx = tx;
    this.tenant = tenant;
    this.manifests = manifests;
    this.id = id;
  }

  void add(FrozenStore.Row row) {
    if (first == null) {
      first = row.place();
    }
    last = row.place();
    digests.writeBytes(row.digests().toByteArray());
    types.merge(row.type(), 1L, Long::sum);
    rows++;
    inRange++;
    if (inRange == (ordinal < MANY_FROM ? FEW : MANY)) {
      endRange();
    }
  }

  private void endRange() {
    if (first != null) {
      byte[] rowDigests = digests.toByteArray();
      byte[] ofRange = Digests.sha256().digest(rowDigests);
      manifests.insert(
          tx,
          tenant,
          id,
          new ManifestStore.Range(
              ordinal,
              first,
              last,
              inRange,
              ByteString.copyFrom(rowDigests),
              ByteString.copyFrom(ofRange)));
      digest.update(ofRange);
      digests.reset();
      first = null;
      inRange = 0;
      ordinal++;
    }
  }

  long rows() {
    return rows;
  }

  /** What is known of the rows when all were added. */
  DatasetManifest.Builder end() {
    endRange();
    DatasetManifest.Builder manifest =
        DatasetManifest.newBuilder()
            .setRowCount(rows)
            .setDigest(ByteString.copyFrom(digest.digest()));
    types.forEach((type, count) ->
        manifest.addEventTypes(EventTypeCount.newBuilder().setEventType(type).setRowCount(count)));
    return manifest;
  }
}
