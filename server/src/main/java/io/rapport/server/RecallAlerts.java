package io.rapport.server;

import com.google.protobuf.ByteString;
import io.rapport.monitoring.alert.AlertFeature;
import io.rapport.monitoring.alert.AlertFeature.Notice;
import io.rapport.platform.Change;
import io.rapport.search.audit.RecallAlarm;
import java.util.List;
import java.util.Locale;
import java.util.UUID;
import org.jooq.DSLContext;

/** Tells of low recall by alerts. */
final class RecallAlerts implements RecallAlarm {
  private static final String TYPE = "search_recall";

  /** Half of the neighbours missing means that the index is broken, not that it is coarse. */
  private static final double SEVERE = 0.5;

  private static final int LONGEST_MODEL = 100;

  private final AlertFeature alerts;

  RecallAlerts(AlertFeature alerts) {
    this.alerts = alerts;
  }

  @Override
  public List<Change> raise(DSLContext tx, UUID tenant, Low low) {
    String data =
        String.format(
            Locale.ROOT,
            "{\"kind\":\"%s\",\"recall\":%.4f,\"lowest_recall\":%.4f,\"searches\":%d}",
            low.kind(),
            low.recall(),
            low.lowest(),
            low.searches());
    Notice notice =
        new Notice(
            shortened(low.model()),
            fingerprint(low.kind(), low.model()),
            TYPE,
            low.recall() < SEVERE,
            ByteString.copyFromUtf8(data));
    return List.of(alerts.raise(tx, tenant, notice));
  }

  @Override
  public List<Change> clear(DSLContext tx, UUID tenant, String kind, String model) {
    return alerts.resolve(
        tx, tenant, fingerprint(kind, model), "searches find what there is again");
  }

  private static String fingerprint(String kind, String model) {
    return TYPE + "/" + kind + "/" + shortened(model);
  }

  private static String shortened(String model) {
    return model.length() <= LONGEST_MODEL ? model : model.substring(0, LONGEST_MODEL);
  }
}
