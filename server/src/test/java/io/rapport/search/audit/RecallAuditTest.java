package io.rapport.search.audit;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.rpc.Code;
import io.rapport.client.RapportClient;
import io.rapport.monitoring.v1.AnomalyAlert;
import io.rapport.monitoring.v1.AnomalyAlertServiceGrpc;
import io.rapport.monitoring.v1.ListAnomalyAlertsRequest;
import io.rapport.search.v1.GetRecallRequest;
import io.rapport.search.v1.GetSearchIndexesRequest;
import io.rapport.search.v1.ListAllRecallAuditsRequest;
import io.rapport.search.v1.ListRecallAuditsRequest;
import io.rapport.search.v1.ListRecallAuditsResponse;
import io.rapport.search.v1.Recall;
import io.rapport.search.v1.RecallAudit;
import io.rapport.search.v1.SearchAuditServiceGrpc;
import io.rapport.search.v1.SearchAuditServiceGrpc.SearchAuditServiceBlockingStub;
import io.rapport.search.v1.SearchIndex;
import io.rapport.search.v1.SearchRequest;
import io.rapport.search.v1.SearchSource;
import io.rapport.search.v1.VectorQuery;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Told;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A further server audits every second; the shared one does so once a minute. */
class RecallAuditTest {
  private static final String KIND = "identity.system_setting";
  private static final String MODEL = "test-model";
  private static final Duration PATIENCE = Duration.ofSeconds(40);
  private static final Map<String, String> EAGER =
      Map.of("RAPPORT_RECALL_AUDIT_SECONDS", "1", "RAPPORT_RECALL_MIN_ROWS", "300");

  @RegisterExtension final Rapport rapport = new Rapport();

  @Test
  void tellsThatTheIndexFindsWhatThereIs() throws Exception {
    givenVectors(rapport.tenant(), 400);
    try (RapportServer server = rapport.serve(EAGER)) {
      await(() -> !recalls().isEmpty());
      Recall recall = recalls().getFirst();

      assertThat(recall.getKind()).isEqualTo(KIND);
      assertThat(recall.getModel()).isEqualTo(MODEL);
      assertThat(recall.getSearches()).isEqualTo(5);
      assertThat(recall.getRecall()).isBetween(0.95, 1.0);
      assertThat(recall.getLow()).isFalse();
      assertThat(alerts()).isEmpty();
      await(() -> metrics(server).contains("rapport_search_recall{kind=\"" + KIND + "\"}"));
    }
  }

  @Test
  void countsEachNeighbourOfEachSearch() throws Exception {
    givenVectors(rapport.tenant(), 400);
    try (RapportServer _ = rapport.serve(EAGER)) {
      await(() -> !audits().isEmpty());
      RecallAudit audit = audits().getFirst();

      assertThat(audit.getTenantId()).isEqualTo(rapport.tenant().toString());
      assertThat(audit.getSource()).isEqualTo(RecallAudit.Source.STORED_ROWS);
      assertThat(audit.getNeighbours()).isEqualTo(10);
      assertThat(audit.getExpected()).isEqualTo(10L * audit.getSearches());
      assertThat(audit.getRecall()).isEqualTo((double) audit.getFound() / audit.getExpected());
    }
  }

  @Test
  void raisesOneAlertForADamagedIndexAndResolvesIt() throws Exception {
    givenVectors(rapport.tenant(), 400);
    damage(rapport.tenant());
    try (RapportServer _ = rapport.serve(EAGER)) {
      await(() -> alerts().stream().anyMatch(it -> it.getOccurrences() > 1));

      assertThat(alerts()).hasSize(1);
      AnomalyAlert alert = alerts().getFirst();
      assertThat(alert.getAlertType()).isEqualTo("search_recall");
      assertThat(alert.getCause()).isEqualTo(AnomalyAlert.Cause.AUDIT);
      assertThat(alert.getModelName()).isEqualTo(MODEL);
      assertThat(alert.getAlertData().getFieldsOrThrow("kind").getStringValue()).isEqualTo(KIND);
      assertThat(alert.getAlertData().getFieldsOrThrow("recall").getNumberValue()).isLessThan(0.9);
      assertThat(recalls().getFirst().getLow()).isTrue();

      rapport.sql().execute("REINDEX INDEX search.idx_system_settings_embedding_hnsw");
      await(() -> alerts().getFirst().getState() == AnomalyAlert.State.RESOLVED);
      assertThat(alerts()).hasSize(1);
      assertThat(recalls().getFirst().getLow()).isFalse();
    } finally {
      rapport.sql().execute("REINDEX INDEX search.idx_system_settings_embedding_hnsw");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "UPDATE search.embedding_models SET state = 'RETIRED', switched_at = now()",
        "DELETE FROM search.embeddings"
      })
  void resolvesTheAlertOfWhatIsNotAuditedAnyMore(String end) throws Exception {
    givenVectors(rapport.tenant(), 400);
    damage(rapport.tenant());
    try (RapportServer _ = rapport.serve(EAGER)) {
      await(() -> !alerts().isEmpty());

      rapport.sql().execute(end + " WHERE tenant_id = {0}", DSL.val(rapport.tenant()));
      await(() -> alerts().getFirst().getState() == AnomalyAlert.State.RESOLVED);
    } finally {
      rapport.sql().execute("REINDEX INDEX search.idx_system_settings_embedding_hnsw");
    }
  }

  /** Those that can't be audited don't take the turns of those that can. */
  @Test
  void auditsAgainBesideManyWithTooFewRows() throws Exception {
    givenVectors(rapport.tenant(), 400);
    rapport
        .sql()
        .execute(
            """
            INSERT INTO search.embedding_models (tenant_id, kind, model, state)
            SELECT gen_random_uuid(), {0}, 'of few rows', 'ACTIVE' FROM generate_series(1, 8000)
            """,
            DSL.val(KIND));
    try (RapportServer _ = rapport.serve(EAGER)) {
      await(() -> audits().size() > 1);
    } finally {
      rapport.sql().execute("DELETE FROM search.embedding_models WHERE model = 'of few rows'");
    }
  }

  @Test
  void doesSearchesOnceMore() throws Exception {
    givenVectors(rapport.tenant(), 5100); // fewer are compared one by one
    Map<String, String> settings = new HashMap<>(EAGER);
    settings.put("RAPPORT_RECALL_SAMPLE", "1");
    try (RapportServer server = rapport.serve(settings);
        RapportClient there = rapport.clientOf(server)) {
      VectorQuery.Builder vector = VectorQuery.newBuilder().setModel(MODEL);
      for (int i = 0; i < 1536; i++) {
        vector.addValues(i % 20 == 3 ? 1 : 0);
      }
      SearchRequest request =
          SearchRequest.newBuilder()
              .setVector(vector)
              .addSources(SearchSource.newBuilder().setKind(KIND))
              .setLimit(7)
              .build();
      await(() -> {
        assertThat(there.search().of(request).top(7).getHitsList()).hasSize(7);
        return audits().stream().anyMatch(it -> it.getSource() == RecallAudit.Source.SEARCHES);
      });

      RecallAudit audit =
          audits().stream()
              .filter(it -> it.getSource() == RecallAudit.Source.SEARCHES)
              .findFirst()
              .orElseThrow();
      assertThat(audit.getModel()).isEqualTo(MODEL);
      assertThat(audit.getExpected()).isEqualTo((long) audit.getNeighbours() * audit.getSearches());
      assertThat(audit.getSearches()).isLessThanOrEqualTo(10);
    }
  }

  @Test
  void leavesAloneWhatIsComparedOneByOneAnyway() throws Exception {
    UUID many = rapport.newTenant();
    givenVectors(rapport.tenant(), 300);
    givenVectors(many, 301);
    try (RapportServer _ = rapport.serve(EAGER)) {
      await(() -> audited(many));

      assertThat(audits()).isEmpty();
      assertThat(recalls()).isEmpty();
    }
  }

  @Test
  void listsPageByPage() {
    UUID tenant = rapport.tenant();
    givenAudits(tenant, "2026-01-01T00:00:00Z", 3);
    givenAudits(rapport.newTenant(), "2026-01-01T00:00:00Z", 2);
    ListRecallAuditsRequest two = ListRecallAuditsRequest.newBuilder().setPageSize(2).build();

    ListRecallAuditsResponse first = stub().listRecallAudits(two);
    ListRecallAuditsResponse second =
        stub().listRecallAudits(two.toBuilder().setPageToken(first.getNextPageToken()).build());

    assertThat(first.getAuditsList()).hasSize(2);
    assertThat(second.getAuditsList()).hasSize(1);
    assertThat(second.getNextPageToken()).isEmpty();
    assertThat(first.getAuditsList()).doesNotContainAnyElementsOf(second.getAuditsList());
    assertThat(first.getAudits(0).getAuditedAt().getSeconds())
        .isGreaterThan(second.getAudits(0).getAuditedAt().getSeconds());
  }

  @Test
  void showsOperatorsTheAuditsOfAllTenants() {
    UUID other = rapport.newTenant();
    givenAudits(other, "2100-01-01T00:00:00Z", 1);

    assertThat(
            stub()
                .listAllRecallAudits(
                    ListAllRecallAuditsRequest.newBuilder().setPageSize(1000).build())
                .getAuditsList())
        .anyMatch(audit -> audit.getTenantId().equals(other.toString()));
    rapport.sql().execute("DELETE FROM search.recall_audits WHERE tenant_id = {0}", DSL.val(other));
  }

  @Test
  void refusesOthersThanOperators() {
    var stub =
        SearchAuditServiceGrpc.newBlockingStub(
            rapport.channel(rapport.tokens().of(rapport.tenant(), "search.read")));

    assertThat(
            Told.by(() -> stub.listAllRecallAudits(ListAllRecallAuditsRequest.getDefaultInstance()))
                .code())
        .isEqualTo(Code.PERMISSION_DENIED);
    assertThat(
            Told.by(() -> stub.getSearchIndexes(GetSearchIndexesRequest.getDefaultInstance()))
                .code())
        .isEqualTo(Code.PERMISSION_DENIED);
  }

  @Test
  void listsTheIndexOfEachKind() {
    List<SearchIndex> indexes =
        stub().getSearchIndexes(GetSearchIndexesRequest.getDefaultInstance()).getIndexesList();

    SearchIndex settings =
        indexes.stream().filter(it -> it.getKind().equals(KIND)).findFirst().orElseThrow();
    assertThat(settings.getName()).isEqualTo("idx_system_settings_embedding_hnsw");
    assertThat(settings.getValid()).isTrue();
    assertThat(settings.getSizeBytes()).isPositive();
    assertThat(settings.hasBuild()).isFalse();
  }

  private static void await(BooleanSupplier condition) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError("it did not happen");
      }
      TimeUnit.MILLISECONDS.sleep(50);
    }
  }

  private SearchAuditServiceBlockingStub stub() {
    return SearchAuditServiceGrpc.newBlockingStub(rapport.channel());
  }

  private List<Recall> recalls() {
    return stub().getRecall(GetRecallRequest.getDefaultInstance()).getRecallsList();
  }

  private List<RecallAudit> audits() {
    return stub().listRecallAudits(ListRecallAuditsRequest.getDefaultInstance()).getAuditsList();
  }

  private List<AnomalyAlert> alerts() {
    return AnomalyAlertServiceGrpc.newBlockingStub(rapport.channel())
        .listAnomalyAlerts(ListAnomalyAlertsRequest.getDefaultInstance())
        .getAlertsList();
  }

  private boolean audited(UUID tenant) {
    return rapport
        .sql()
        .fetchExists(
            DSL.table("search.recall_audits"), DSL.condition("tenant_id = {0}", DSL.val(tenant)));
  }

  private static String metrics(RapportServer server) {
    HttpRequest request =
        HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.metricsPort() + "/metrics"))
            .build();
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client.sendAsync(request, HttpResponse.BodyHandlers.ofString()).join().body();
    }
  }

  /** Of a tenant's settings, in groups of twenty that lie near one another. */
  private void givenVectors(UUID tenant, int rows) {
    rapport
        .sql()
        .execute(
            """
            INSERT INTO identity.system_settings (tenant_id, id, setting_key, setting_value, description)
            SELECT {0}, gen_random_uuid(), 'key ' || n, 'x', 'text ' || n
              FROM generate_series(1, {1}) n
            """,
            DSL.val(tenant), DSL.val(rows));
    rapport
        .sql()
        .execute(
            """
            INSERT INTO search.embedding_models (tenant_id, kind, model, state)
            VALUES ({0}, {1}, {2}, 'ACTIVE')
            """,
            DSL.val(tenant), DSL.val(KIND), DSL.val(MODEL));
    rapport
        .sql()
        .execute(
            """
            INSERT INTO search.embeddings (tenant_id, kind, id, model, content_hash, embedding)
            SELECT tenant_id, kind, id, {2}, content_hash, public.l2_normalize((
              SELECT array_agg(random() - 0.5 + CASE WHEN i % 20 = place % 20 THEN 1 ELSE 0 END)
                FROM generate_series(1, 1536) i WHERE place > 0)::vector(1536)::halfvec(1536))
              FROM (SELECT *, row_number() OVER () AS place FROM search.documents
                     WHERE tenant_id = {0} AND kind = {1}) d
            """,
            DSL.val(tenant), DSL.val(KIND), DSL.val(MODEL));
  }

  /** Lets the index miss half of a tenant's rows. */
  private void damage(UUID tenant) {
    rapport
        .sql()
        .transaction(tx -> {
          tx.dsl()
              .execute(
                  "UPDATE pg_index SET indisready = false"
                      + " WHERE indexrelid = 'search.idx_system_settings_embedding_hnsw'::regclass");
          tx.dsl()
              .execute(
                  """
                  CREATE TEMPORARY TABLE moved ON COMMIT DROP AS
                    SELECT * FROM search.embeddings
                     WHERE tenant_id = {0} AND hashtext(id::text) % 2 = 0
                  """,
                  DSL.val(tenant));
          tx.dsl()
              .execute(
                  "DELETE FROM search.embeddings WHERE tenant_id = {0}"
                      + " AND id IN (SELECT id FROM moved)",
                  DSL.val(tenant));
          tx.dsl().execute("INSERT INTO search.embeddings SELECT * FROM moved");
          tx.dsl()
              .execute(
                  "UPDATE pg_index SET indisready = true"
                      + " WHERE indexrelid = 'search.idx_system_settings_embedding_hnsw'::regclass");
        });
  }

  private void givenAudits(UUID tenant, String from, int count) {
    rapport
        .sql()
        .execute(
            """
            INSERT INTO search.recall_audits (tenant_id, id, kind, model, source, neighbours,
              searches, expected, found, lowest_recall, duration_millis, audited_at)
            SELECT {0}, gen_random_uuid(), {1}, {2}, 'STORED_ROWS', 10, 5, 50, 49, 0.9, 12,
              {3}::timestamptz + n * interval '1 minute' FROM generate_series(1, {4}) n
            """,
            DSL.val(tenant), DSL.val(KIND), DSL.val(MODEL), DSL.val(from), DSL.val(count));
  }
}
