package io.rapport.caching;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.rpc.Code;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.Metadata;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.MetadataUtils;
import io.rapport.caching.v1.Analysis;
import io.rapport.caching.v1.AnalysisCacheServiceGrpc;
import io.rapport.caching.v1.AnalysisCacheServiceGrpc.AnalysisCacheServiceBlockingStub;
import io.rapport.caching.v1.AnalysisKey;
import io.rapport.caching.v1.AnalysisPut;
import io.rapport.caching.v1.AnalysisValue;
import io.rapport.caching.v1.BatchPutAnalysesRequest;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.CacheServiceGrpc;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.FindSimilarAnalysisRequest;
import io.rapport.caching.v1.FindSimilarAnalysisResponse;
import io.rapport.caching.v1.GetAnalysisRequest;
import io.rapport.caching.v1.GetAnalysisResponse;
import io.rapport.caching.v1.GetOrLeaseAnalysisRequest;
import io.rapport.caching.v1.GetOrLeaseAnalysisResponse;
import io.rapport.caching.v1.InvalidateEntriesRequest;
import io.rapport.caching.v1.Lease;
import io.rapport.caching.v1.OpaqueValue;
import io.rapport.caching.v1.PutAnalysisRequest;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.Question;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.db.Database;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Tokens;
import io.rapport.server.Told;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Entries that two servers know. */
class SharedCacheTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final Metadata.Key<String> POSITION = key("rapport-position");
  private static final Metadata.Key<String> AT_LEAST = key("rapport-at-least");
  private static final Dependency PRICES = Dependency.newBuilder().setTag("prices").build();

  private final RapportServer other = rapport.serve(Map.of());
  private final ManagedChannel otherChannel =
      ManagedChannelBuilder.forAddress("127.0.0.1", other.port()).usePlaintext().build();
  private AnalysisCacheServiceBlockingStub here;
  private AnalysisCacheServiceBlockingStub there;
  private String user;

  private static Metadata.Key<String> key(String name) {
    return Metadata.Key.of(name, Metadata.ASCII_STRING_MARSHALLER);
  }

  @BeforeEach
  void makeUser() {
    rapport.client().events().track(Given.eventOf("ada").build());
    user =
        rapport
            .sql()
            .fetchSingle("SELECT id FROM identity.users WHERE tenant_id = ?", rapport.tenant())
            .get(0, String.class);
    here = AnalysisCacheServiceGrpc.newBlockingStub(rapport.channel());
    there =
        AnalysisCacheServiceGrpc.newBlockingStub(otherChannel)
            .withInterceptors(
                MetadataUtils.newAttachHeadersInterceptor(
                    header(
                        "authorization",
                        "Bearer " + rapport.tokens().of(rapport.tenant(), Tokens.ALL_RIGHTS))));
  }

  private static Metadata header(String name, String value) {
    Metadata headers = new Metadata();
    headers.put(key(name), value);
    return headers;
  }

  @AfterEach
  void stop() {
    otherChannel.shutdownNow();
    other.close();
  }

  private AnalysisKey key(String name, String owner) {
    return AnalysisKey.newBuilder()
        .setType("comprehensive_analysis")
        .setUserId(owner)
        .setProjectId("p1")
        .setName(name)
        .build();
  }

  private CacheKey cacheKey(String name) {
    return CacheKey.newBuilder().setAnalysis(key(name, user)).build();
  }

  private PutAnalysisRequest.Builder put(String name, String text, Dependency... dependencies) {
    EntryInfo.Builder info = EntryInfo.newBuilder();
    for (Dependency dependency : dependencies) {
      info.addDependencies(dependency);
    }
    return PutAnalysisRequest.newBuilder()
        .setAnalysis(
            Analysis.newBuilder()
                .setKey(key(name, user))
                .setValue(
                    AnalysisValue.newBuilder()
                        .setOpaque(
                            OpaqueValue.newBuilder()
                                .setData(ByteString.copyFromUtf8(text))
                                .setMediaType("text/plain")))
                .setInfo(info));
  }

  private GetAnalysisResponse get(AnalysisCacheServiceBlockingStub stub, String name) {
    return stub.getAnalysis(GetAnalysisRequest.newBuilder().setKey(key(name, user)).build());
  }

  private EntryInfo.State state(String name) {
    return here.getAnalysis(
            GetAnalysisRequest.newBuilder().setKey(key(name, user)).setOptions(strong()).build())
        .getState();
  }

  private static ReadOptions strong() {
    return ReadOptions.newBuilder().setConsistency(ReadOptions.Consistency.STRONG).build();
  }

  private GetOrLeaseAnalysisResponse getOrLease(AnalysisCacheServiceBlockingStub stub) {
    return stub.getOrLeaseAnalysis(
        GetOrLeaseAnalysisRequest.newBuilder().setKey(key("a", user)).build());
  }

  private void invalidatePrices() {
    CacheServiceGrpc.newBlockingStub(rapport.channel())
        .invalidateEntries(InvalidateEntriesRequest.newBuilder().setDependency(PRICES).build());
  }

  @Test
  void aHotEntryIsReadWithoutTheDatabase() throws SQLException {
    here.putAnalysis(put("a", "one").build());
    for (int i = 0; i < 50; i++) {
      get(here, "a");
    }
    Database database = rapport.database();
    try (Connection admin =
            DriverManager.getConnection(database.jdbcUrl(), database.user(), database.password());
        Statement statement = admin.createStatement()) {
      admin.setAutoCommit(false);
      statement.execute("LOCK TABLE caching.entries IN ACCESS EXCLUSIVE MODE");

      assertThat(get(here.withDeadlineAfter(2, TimeUnit.SECONDS), "a").getHit()).isTrue();
      Told told =
          Told.by(() ->
              here.withDeadlineAfter(300, TimeUnit.MILLISECONDS)
                  .getAnalysis(
                      GetAnalysisRequest.newBuilder()
                          .setKey(key("a", user))
                          .setOptions(strong())
                          .build()));
      assertThat(told.code()).isEqualTo(Code.DEADLINE_EXCEEDED);
      admin.rollback();
    }
  }

  @Test
  void whoHasAPositionSeesWhatWasCommittedThere() {
    AtomicReference<Metadata> trailers = new AtomicReference<>();
    var writing =
        here.withInterceptors(
            MetadataUtils.newCaptureMetadataInterceptor(new AtomicReference<>(), trailers));
    for (int i = 0; i < 20; i++) {
      writing.putAnalysis(put("a", "value " + i).build());
      Metadata atLeast = new Metadata();
      atLeast.put(AT_LEAST, trailers.get().get(POSITION));
      var reading = there.withInterceptors(MetadataUtils.newAttachHeadersInterceptor(atLeast));

      String read = get(reading, "a").getAnalysis().getValue().getOpaque().getData().toStringUtf8();

      assertThat(read).isEqualTo("value " + i);
    }
  }

  @Test
  void anotherServerHearsOfAnInvalidation() {
    here.putAnalysis(put("a", "one", PRICES).build());
    assertThat(get(there, "a").getHit()).isTrue();

    invalidatePrices();

    long end = System.nanoTime() + 10_000_000_000L;
    while (get(there, "a").getHit()) {
      assertThat(System.nanoTime()).isLessThan(end);
    }
    assertThat(get(there, "a").getState()).isEqualTo(EntryInfo.State.INVALID);
  }

  @Test
  void manyMissesAtTwoServersAreComputedOnce() throws Exception {
    List<Future<GetOrLeaseAnalysisResponse>> answers = new ArrayList<>();
    int computations = 0;
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 40; i++) {
        var stub = i % 2 == 0 ? here : there;
        answers.add(
            callers.submit(() -> {
              GetOrLeaseAnalysisResponse answer = getOrLease(stub);
              if (answer.getOutcome() == Lease.Outcome.COMPUTE) {
                stub.putAnalysis(
                    put("a", "one")
                        .setCondition(
                            PutCondition.newBuilder().setLeaseId(answer.getLease().getId()))
                        .build());
              }
              return answer;
            }));
      }
      for (Future<GetOrLeaseAnalysisResponse> answer : answers) {
        computations += answer.get().getOutcome() == Lease.Outcome.COMPUTE ? 1 : 0;
      }
    }

    assertThat(computations).isEqualTo(1);
    for (Future<GetOrLeaseAnalysisResponse> answer : answers) {
      assertThat(answer.get().getOutcome()).isIn(Lease.Outcome.COMPUTE, Lease.Outcome.HIT);
    }
  }

  @Test
  void whatDependsOnAnEntryDependsOnWhatThatDependsOn() {
    here.putAnalysis(put("a", "one", PRICES).build());
    here.putAnalysis(
        put("b", "two", Dependency.newBuilder().setEntry(cacheKey("a")).build()).build());
    assertThat(state("b")).isEqualTo(EntryInfo.State.FRESH);

    invalidatePrices();

    assertThat(state("b")).isEqualTo(EntryInfo.State.INVALID);
  }

  @Test
  void anEntryThatGetsAnotherValueInvalidatesWhatDependsOnIt() {
    here.putAnalysis(put("a", "one").build());
    here.putAnalysis(
        put("b", "two", Dependency.newBuilder().setEntry(cacheKey("a")).build()).build());

    here.putAnalysis(put("a", "one").build());
    assertThat(state("b")).isEqualTo(EntryInfo.State.FRESH);
    here.putAnalysis(put("a", "another").build());

    assertThat(state("b")).isEqualTo(EntryInfo.State.INVALID);
  }

  @Test
  void entriesMayDependOnEachOther() {
    here.putAnalysis(put("a", "one").build());
    here.putAnalysis(
        put("b", "two", Dependency.newBuilder().setEntry(cacheKey("a")).build()).build());
    here.putAnalysis(
        put("a", "one", Dependency.newBuilder().setEntry(cacheKey("b")).build()).build());
    here.putAnalysis(
        put("b", "two", Dependency.newBuilder().setEntry(cacheKey("a")).build()).build());

    assertThat(state("a")).isEqualTo(EntryInfo.State.FRESH);
    assertThat(state("b")).isEqualTo(EntryInfo.State.FRESH);
    CacheServiceGrpc.newBlockingStub(rapport.channel())
        .invalidateEntries(InvalidateEntriesRequest.newBuilder().setUserId(user).build());
    assertThat(state("a")).isEqualTo(EntryInfo.State.INVALID);
    assertThat(state("b")).isEqualTo(EntryInfo.State.INVALID);
  }

  @Test
  void onlyOneOfThoseWhoPutIfAbsentDoes() throws Exception {
    PutAnalysisRequest absent =
        put("a", "one").setCondition(PutCondition.newBuilder().setIfAbsent(true)).build();
    List<Future<Boolean>> answers = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 20; i++) {
        var stub = i % 2 == 0 ? here : there;
        answers.add(
            callers.submit(() -> {
              try {
                stub.putAnalysis(absent);
                return true;
              } catch (StatusRuntimeException e) {
                return false;
              }
            }));
      }
    }

    int done = 0;
    for (Future<Boolean> answer : answers) {
      done += answer.get() ? 1 : 0;
    }
    assertThat(done).isEqualTo(1);
  }

  @Test
  void whatIsLongExpiredIsRemoved() {
    here.putAnalysis(asked("a", question(1, 0)));
    here.putAnalysis(put("b", "two").build());
    UUID old = EntryKey.of(key("a", user)).id();
    rapport
        .sql()
        .execute(
            "UPDATE caching.entries SET refresh_after = now() - interval '3 days',"
                + " expires_at = now() - interval '2 days' WHERE tenant_id = ? AND id = ?",
            rapport.tenant(),
            old);

    try (RapportServer sweeping = rapport.serve(Map.of())) {
      assertThat(sweeping.port()).isPositive();
      while (state("a") != EntryInfo.State.ABSENT) {
        assertThat(state("b")).isEqualTo(EntryInfo.State.FRESH);
      }
    }

    assertThat(state("b")).isEqualTo(EntryInfo.State.FRESH);
  }

  @Test
  void anEntryThatAppearsInvalidatesWhatDependsOnIt() {
    Dependency onA = Dependency.newBuilder().setEntry(cacheKey("a")).build();
    here.putAnalysis(put("b", "two", onA).build());
    assertThat(state("b")).isEqualTo(EntryInfo.State.FRESH);

    here.putAnalysis(put("a", "one").build());

    assertThat(state("b")).isEqualTo(EntryInfo.State.INVALID);
  }

  @Test
  void aDependencyThatAnEntryGetsIsOneOfWhatDependsOnIt() {
    Dependency onA = Dependency.newBuilder().setEntry(cacheKey("a")).build();
    here.putAnalysis(put("a", "one").build());
    here.putAnalysis(put("b", "two", onA).build());
    here.putAnalysis(put("a", "one", PRICES).build());
    here.putAnalysis(put("b", "two", onA).build());
    assertThat(state("b")).isEqualTo(EntryInfo.State.FRESH);

    invalidatePrices();

    assertThat(state("b")).isEqualTo(EntryInfo.State.INVALID);
  }

  @Test
  void putsUnderManyLeasesAndNewDependenciesDontWaitForEachOther() throws Exception {
    List<Future<?>> puts = new ArrayList<>();
    try (ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < 6; i++) {
        int caller = i;
        puts.add(callers.submit(() -> putBatches(caller)));
      }
      for (Future<?> put : puts) {
        put.get();
      }
    }

    assertThat(state("a")).isNotEqualTo(EntryInfo.State.ABSENT);
  }

  private void putBatches(int caller) {
    for (int i = 0; i < 10; i++) {
      BatchPutAnalysesRequest.Builder batch = BatchPutAnalysesRequest.newBuilder();
      Dependency tag = Dependency.newBuilder().setTag("tag " + caller + " " + i).build();
      for (String name : caller % 2 == 0 ? List.of("a", "b", "c") : List.of("c", "b", "a")) {
        batch.addPuts(
            AnalysisPut.newBuilder().setAnalysis(put(name, "value " + i, tag).getAnalysis()));
      }
      (caller % 4 < 2 ? here : there).batchPutAnalyses(batch.build());
    }
  }

  private static Question question(float x, float y) {
    Question.Builder question = Question.newBuilder().setEmbeddingModel("mini");
    for (int i = 0; i < 1536; i++) {
      question.addEmbedding(i == 0 ? x : i == 1 ? y : 0);
    }
    return question.build();
  }

  private PutAnalysisRequest asked(String name, Question question) {
    PutAnalysisRequest.Builder put = put(name, name);
    put.getAnalysisBuilder().setQuestion(question);
    return put.build();
  }

  private FindSimilarAnalysisRequest.Builder find(Question question) {
    return FindSimilarAnalysisRequest.newBuilder()
        .setUserId(user)
        .setProjectId("p1")
        .setType("comprehensive_analysis")
        .setQuestion(question);
  }

  @Test
  void answersWithTheAnalysisOfTheNearestQuestion() {
    here.putAnalysis(asked("far", question(0, 1)));
    here.putAnalysis(asked("near", question(1, 0.1f)));
    here.putAnalysis(asked("nearer", question(1, 0.05f)));

    FindSimilarAnalysisResponse found = there.findSimilarAnalysis(find(question(1, 0)).build());

    assertThat(found.getHit()).isTrue();
    assertThat(found.getAnalysis().getKey().getName()).isEqualTo("nearer");
    assertThat(found.getSimilarity()).isBetween(0.998, 0.999);
    assertThat(there.findSimilarAnalysis(find(question(-1, 0)).build()).getHit()).isFalse();
  }

  @Test
  void neverAnswersWithAnAnalysisOfAnotherUserProjectTypeOrModel() {
    here.putAnalysis(asked("a", question(1, 0)));
    FindSimilarAnalysisRequest.Builder same = find(question(1, 0));

    assertThat(here.findSimilarAnalysis(same.build()).getHit()).isTrue();
    for (FindSimilarAnalysisRequest other :
        List.of(
            same.clone().setUserId(Given.id()).build(),
            same.clone().setProjectId("p2").build(),
            same.clone().setType("summary").build(),
            same.clone().setModelVersion("2.0.0").build(),
            same.clone()
                .setQuestion(question(1, 0).toBuilder().setEmbeddingModel("other"))
                .build())) {
      assertThat(here.findSimilarAnalysis(other).getHit()).isFalse();
    }
  }

  @Test
  void goesOnToTheNextNearestIfTheNearestIsInvalid() {
    PutAnalysisRequest.Builder nearest = put("nearest", "one", PRICES);
    nearest.getAnalysisBuilder().setQuestion(question(1, 0));
    here.putAnalysis(nearest.build());
    here.putAnalysis(asked("next", question(1, 0.1f)));

    invalidatePrices();

    assertThat(
            here.findSimilarAnalysis(find(question(1, 0)).build()).getAnalysis().getKey().getName())
        .isEqualTo("next");
  }

  @Test
  void refusesAQuestionWithoutDirection() {
    for (Question without : List.of(question(0, 0), question(1e-25f, 0), question(3e38f, 3e38f))) {
      assertThat(Told.by(() -> here.putAnalysis(asked("a", without))).fields())
          .containsExactly("analysis.question.embedding");
      assertThat(Told.by(() -> here.findSimilarAnalysis(find(without).build())).fields())
          .containsExactly("question.embedding");
    }
  }

  @Test
  void whatWasNotUsedForLongestGoesIfTheTenantKeepsTooMuch() {
    Random random = new Random(1);
    for (String name : List.of("a", "b", "c")) {
      byte[] bytes = new byte[400_000];
      random.nextBytes(bytes);
      PutAnalysisRequest.Builder put = put(name, "");
      put.getAnalysisBuilder()
          .getValueBuilder()
          .getOpaqueBuilder()
          .setData(ByteString.copyFrom(bytes));
      here.putAnalysis(put.build());
    }

    try (RapportServer sweeping = rapport.serve(Map.of("RAPPORT_CACHE_MB_PER_TENANT", "1"))) {
      assertThat(sweeping.port()).isPositive();
      while (state("a") != EntryInfo.State.ABSENT) {
        assertThat(state("c")).isEqualTo(EntryInfo.State.FRESH);
      }
    }

    assertThat(state("b")).isEqualTo(EntryInfo.State.FRESH);
    assertThat(state("c")).isEqualTo(EntryInfo.State.FRESH);
  }
}
