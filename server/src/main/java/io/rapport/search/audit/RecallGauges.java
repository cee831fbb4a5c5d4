package io.rapport.search.audit;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.MultiGauge;
import io.micrometer.core.instrument.Tags;
import io.rapport.search.v1.SearchIndex;
import java.util.Collection;

/** Tells metrics what the audits of all tenants found in the last hour. */
final class RecallGauges {
  private final MultiGauge recall;
  private final MultiGauge lowTenants;

  RecallGauges(MeterRegistry metrics) {
    this.recall =
        MultiGauge.builder("rapport.search.recall")
            .description("Found by the index of the neighbours that there are, in the last hour")
            .register(metrics);
    this.lowTenants =
        MultiGauge.builder("rapport.search.recall.low.tenants")
            .description("Tenants whose newest audit found less than 0.9 of the neighbours")
            .register(metrics);
  }

  void tell(Collection<SearchIndex> indexes) {
    Collection<SearchIndex> audited =
        indexes.stream().filter(it -> it.hasRecall() && it.getValid()).toList();
    recall.register(
        audited.stream().map(it -> MultiGauge.Row.of(tags(it), it.getRecall())).toList(), true);
    lowTenants.register(
        audited.stream().map(it -> MultiGauge.Row.of(tags(it), it.getLowTenants())).toList(), true);
  }

  private static Tags tags(SearchIndex index) {
    return Tags.of("kind", index.getKind());
  }
}
