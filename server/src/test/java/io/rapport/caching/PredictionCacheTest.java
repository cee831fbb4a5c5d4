package io.rapport.caching;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.Duration;
import com.google.rpc.Code;
import io.rapport.caching.v1.BatchGetPredictionsRequest;
import io.rapport.caching.v1.BatchPutPredictionsRequest;
import io.rapport.caching.v1.CacheKey;
import io.rapport.caching.v1.CacheLifetime;
import io.rapport.caching.v1.CacheLifetimeServiceGrpc;
import io.rapport.caching.v1.CacheServiceGrpc;
import io.rapport.caching.v1.CacheServiceGrpc.CacheServiceBlockingStub;
import io.rapport.caching.v1.CacheStats;
import io.rapport.caching.v1.ClaimWarmupsRequest;
import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.ExplainEntryRequest;
import io.rapport.caching.v1.GetCacheStatsRequest;
import io.rapport.caching.v1.GetOrLeasePredictionRequest;
import io.rapport.caching.v1.GetOrLeasePredictionResponse;
import io.rapport.caching.v1.GetPredictionRequest;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.InvalidateEntriesRequest;
import io.rapport.caching.v1.InvalidationCause;
import io.rapport.caching.v1.KeyList;
import io.rapport.caching.v1.Lease;
import io.rapport.caching.v1.ListPredictionsRequest;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionCacheServiceGrpc.PredictionCacheServiceBlockingStub;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionPut;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.caching.v1.PutCondition;
import io.rapport.caching.v1.PutPredictionRequest;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.caching.v1.ReleaseLeaseRequest;
import io.rapport.caching.v1.RenewLeaseRequest;
import io.rapport.caching.v1.SpendingPrediction;
import io.rapport.caching.v1.TouchEntryRequest;
import io.rapport.caching.v1.UpsertCacheLifetimeRequest;
import io.rapport.caching.v1.WarmEntriesRequest;
import io.rapport.platform.Times;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.Told;
import io.rapport.tracking.v1.Event;
import java.util.function.Consumer;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Predictions that are kept until what they were computed from changes. */
class PredictionCacheTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final ReadOptions STRONG =
      ReadOptions.newBuilder().setConsistency(ReadOptions.Consistency.STRONG).build();

  private PredictionCacheServiceBlockingStub predictions;
  private CacheServiceBlockingStub cache;
  private String user;

  @BeforeEach
  void makeUser() {
    predictions = PredictionCacheServiceGrpc.newBlockingStub(rapport.channel());
    cache = CacheServiceGrpc.newBlockingStub(rapport.channel());
    track("page_view");
    user =
        rapport
            .sql()
            .fetchSingle("SELECT id FROM identity.users WHERE tenant_id = ?", rapport.tenant())
            .get(0, String.class);
  }

  private void track(String type) {
    Event event = Given.eventOf("ada").setEventType(type).build();
    rapport.client().events().track(event);
  }

  private PredictionKey key() {
    return PredictionKey.newBuilder().setUserId(user).setType(PredictionKey.Type.SPENDING).build();
  }

  private CacheKey cacheKey() {
    return CacheKey.newBuilder().setPrediction(key()).build();
  }

  private Prediction prediction(double total, Consumer<EntryInfo.Builder> info) {
    EntryInfo.Builder built = EntryInfo.newBuilder();
    info.accept(built);
    return Prediction.newBuilder()
        .setKey(key())
        .setValue(
            PredictionValue.newBuilder()
                .setSpending(SpendingPrediction.newBuilder().setTotalPredicted(total)))
        .setInfo(built)
        .build();
  }

  private Prediction put(double total) {
    return put(total, info -> {});
  }

  private Prediction put(double total, Consumer<EntryInfo.Builder> info) {
    return predictions.putPrediction(
        PutPredictionRequest.newBuilder().setPrediction(prediction(total, info)).build());
  }

  private GetPredictionResponse get() {
    return get(STRONG);
  }

  private GetPredictionResponse get(ReadOptions options) {
    return predictions.getPrediction(
        GetPredictionRequest.newBuilder().setKey(key()).setOptions(options).build());
  }

  private GetOrLeasePredictionResponse getOrLease() {
    return predictions.getOrLeasePrediction(
        GetOrLeasePredictionRequest.newBuilder()
            .setKey(key())
            .setMaxWait(Duration.getDefaultInstance())
            .build());
  }

  private void putUnder(String lease, double total) {
    predictions.putPrediction(
        PutPredictionRequest.newBuilder()
            .setPrediction(prediction(total, info -> {}))
            .setCondition(PutCondition.newBuilder().setLeaseId(lease))
            .build());
  }

  @Test
  void givesWhatWasPut() {
    Prediction kept = put(12.5, info -> info.setConfidence(0.7).setAiModel("mini"));

    GetPredictionResponse got = get();

    assertThat(got.getHit()).isTrue();
    assertThat(got.getState()).isEqualTo(EntryInfo.State.FRESH);
    assertThat(got.getPrediction()).isEqualTo(kept);
    assertThat(kept.getInfo().getChecksum().size()).isEqualTo(32);
    assertThat(kept.getInfo().getConfidence()).isEqualTo(0.7);
  }

  @Test
  void saysThatThereIsNothing() {
    GetPredictionResponse got = get();

    assertThat(got.getHit()).isFalse();
    assertThat(got.getState()).isEqualTo(EntryInfo.State.ABSENT);
    assertThat(got.hasPrediction()).isFalse();
  }

  private void putForAMinute() {
    put(1, info -> info.setExpiresAt(Times.proto(rapport.clock().instant().plusSeconds(60))));
  }

  @Test
  void goesStaleAndThenExpires() {
    putForAMinute();

    rapport.clock().forward(java.time.Duration.ofSeconds(31));
    assertThat(get().getState()).isEqualTo(EntryInfo.State.STALE);
    assertThat(get().getHit()).isTrue();
    assertThat(get(STRONG.toBuilder().setRefuseStale(true).build()).getHit()).isFalse();
    rapport.clock().forward(java.time.Duration.ofSeconds(30));
    assertThat(get().getState()).isEqualTo(EntryInfo.State.EXPIRED);
    assertThat(get().hasPrediction()).isFalse();
    assertThat(get(STRONG.toBuilder().setIncludeUnusable(true).build()).hasPrediction()).isTrue();
  }

  @Test
  void isNoHitIfItIsLessSureThanAskedFor() {
    put(1, info -> info.setConfidence(0.5));

    assertThat(get(STRONG.toBuilder().setMinConfidence(0.6).build()).getHit()).isFalse();
    assertThat(get(STRONG.toBuilder().setMinConfidence(0.5).build()).getHit()).isTrue();
  }

  @Test
  void isInvalidForWhoExpectsAnotherContent() {
    put(1, info -> info.setContentHash("a"));

    GetPredictionResponse got = get(STRONG.toBuilder().setContentHash("b").build());

    assertThat(got.getState()).isEqualTo(EntryInfo.State.INVALID);
    assertThat(got.getCause().getKind()).isEqualTo(InvalidationCause.Kind.CONTENT_CHANGED);
    assertThat(get(STRONG.toBuilder().setContentHash("a").build()).getHit()).isTrue();
  }

  @Test
  void aTransactionOfTheUserInvalidatesInItsOwnCommit() {
    put(1);
    track("page_view");
    assertThat(get().getState()).isEqualTo(EntryInfo.State.FRESH);

    track("transaction_creation");

    GetPredictionResponse got = get();
    assertThat(got.getState()).isEqualTo(EntryInfo.State.INVALID);
    assertThat(got.getCause().getKind()).isEqualTo(InvalidationCause.Kind.DEPENDENCY_CHANGED);
    assertThat(got.getCause().getDependency().getUserEvents().getEventType())
        .isEqualTo("transaction_creation");
  }

  @Test
  void onlyOneCallerGetsTheLease() {
    GetOrLeasePredictionResponse first = getOrLease();
    GetOrLeasePredictionResponse second = getOrLease();

    assertThat(first.getOutcome()).isEqualTo(Lease.Outcome.COMPUTE);
    assertThat(second.getOutcome()).isEqualTo(Lease.Outcome.BUSY);
    putUnder(first.getLease().getId(), 3);
    assertThat(getOrLease().getOutcome()).isEqualTo(Lease.Outcome.HIT);
  }

  @Test
  void whatChangedWhileItWasComputedMakesItInvalid() {
    GetOrLeasePredictionResponse leased = getOrLease();

    track("transaction_creation");
    putUnder(leased.getLease().getId(), 3);

    assertThat(get().getState()).isEqualTo(EntryInfo.State.INVALID);
  }

  @Test
  void aLateFillerIsRefused() {
    GetOrLeasePredictionResponse leased = getOrLease();

    cache.invalidateEntries(
        InvalidateEntriesRequest.newBuilder()
            .setKeys(KeyList.newBuilder().addKeys(cacheKey()))
            .build());

    Told told = Told.by(() -> putUnder(leased.getLease().getId(), 3));
    assertThat(told.code()).isEqualTo(Code.ABORTED);
    assertThat(told.reason()).isEqualTo("LEASE_LOST");
    assertThat(get().getState()).isEqualTo(EntryInfo.State.ABSENT);
  }

  @Test
  void staleIsGivenToAllAndComputedByOne() {
    putForAMinute();
    rapport.clock().forward(java.time.Duration.ofSeconds(31));

    assertThat(getOrLease().getOutcome()).isEqualTo(Lease.Outcome.REFRESH);
    assertThat(getOrLease().getOutcome()).isEqualTo(Lease.Outcome.HIT);
  }

  @Test
  void invalidatesByUserAndSaysWhy() {
    put(1);

    long invalidated =
        cache
            .invalidateEntries(
                InvalidateEntriesRequest.newBuilder().setUserId(user).setReason("moved").build())
            .getInvalidated();

    assertThat(invalidated).isEqualTo(1);
    GetPredictionResponse got = get();
    assertThat(got.getState()).isEqualTo(EntryInfo.State.INVALID);
    assertThat(got.getCause().getKind()).isEqualTo(InvalidationCause.Kind.INVALIDATED);
    assertThat(got.getCause().getReason()).isEqualTo("moved");
    assertThat(got.getCause().getPosition()).isNotEmpty();
  }

  @Test
  void invalidatesWhatDependsOnATag() {
    Dependency tag = Dependency.newBuilder().setTag("prices").build();
    put(1, info -> info.addDependencies(tag));
    assertThat(get().getState()).isEqualTo(EntryInfo.State.FRESH);

    cache.invalidateEntries(
        InvalidateEntriesRequest.newBuilder().setDependency(tag).setReason("new list").build());

    assertThat(get().getState()).isEqualTo(EntryInfo.State.INVALID);
    assertThat(get().getCause().getDependency()).isEqualTo(tag);
  }

  @Test
  void explainsWhatHappened() {
    put(1);
    track("transaction_creation");

    var explained = cache.explainEntry(ExplainEntryRequest.newBuilder().setKey(cacheKey()).build());

    assertThat(explained.getState()).isEqualTo(EntryInfo.State.INVALID);
    assertThat(explained.getTiesList())
        .filteredOn(tie -> tie.getChanged())
        .singleElement()
        .satisfies(tie -> assertThat(tie.getDependency().hasUserEvents()).isTrue());
  }

  @Test
  void livesLongerIfTouched() {
    Prediction kept = put(1);
    var later = Times.instant(kept.getInfo().getExpiresAt()).plusSeconds(3600);

    var info =
        cache
            .touchEntry(
                TouchEntryRequest.newBuilder()
                    .setKey(cacheKey())
                    .setExpiresAt(Times.proto(later))
                    .build())
            .getInfo();

    assertThat(info.getExpiresAt()).isEqualTo(Times.proto(later));
    assertThat(get().getPrediction().getInfo()).isEqualTo(info);
  }

  @Test
  void listsWhatIsThere() {
    Prediction kept = put(1);

    var page =
        predictions.listPredictions(ListPredictionsRequest.newBuilder().setUserId(user).build());

    assertThat(page.getResultsList())
        .singleElement()
        .satisfies(it -> assertThat(it.getPrediction()).isEqualTo(kept));
    assertThat(page.getNextPageToken()).isEmpty();
  }

  @Test
  void refusesAUserWhoIsNotThere() {
    String nobody = Given.id();

    Told told =
        Told.by(() ->
            predictions.putPrediction(
                PutPredictionRequest.newBuilder()
                    .setPrediction(
                        prediction(1, info -> {}).toBuilder()
                            .setKey(key().toBuilder().setUserId(nobody)))
                    .build()));

    assertThat(told.reason()).isEqualTo("USER_NOT_FOUND");
  }

  @Test
  void tellsWhichFieldIsWrong() {
    Told told =
        Told.by(() -> put(1, info -> info.setExpiresAt(Times.proto(java.time.Instant.EPOCH))));

    assertThat(told.code()).isEqualTo(Code.INVALID_ARGUMENT);
    assertThat(told.fields()).containsExactly("prediction.info.expires_at");
  }

  @Test
  void livesAsLongAsTheTenantSays() {
    CacheLifetimeServiceGrpc.newBlockingStub(rapport.channel())
        .upsertCacheLifetime(
            UpsertCacheLifetimeRequest.newBuilder()
                .setCacheLifetime(
                    CacheLifetime.newBuilder()
                        .setCache(CacheLifetime.Cache.PREDICTION)
                        .setEntryType("SPENDING")
                        .setLifetimeSeconds(100)
                        .setRefreshSeconds(10))
                .build());

    EntryInfo info = put(1).getInfo();

    long start = info.getUpdatedAt().getSeconds();
    assertThat(info.getExpiresAt().getSeconds() - start).isBetween(99L, 101L);
    assertThat(info.getRefreshAfter().getSeconds() - start).isBetween(9L, 11L);
  }

  @Test
  void countsHowItDoes() {
    put(1, info -> info.setGenerationTime(Duration.newBuilder().setSeconds(2)));
    get();
    get(STRONG.toBuilder().setMinConfidence(1).setContentHash("other").build());

    CacheStats.TypeStats stats = firstStats();
    while (stats.getHits() + stats.getMisses() < 2) {
      stats = firstStats();
    }

    assertThat(stats.getEntryType()).isEqualTo("SPENDING");
    assertThat(stats.getHits()).isEqualTo(1);
    assertThat(stats.getMisses()).isEqualTo(1);
    assertThat(stats.getHitRatio()).isEqualTo(0.5);
    assertThat(stats.getGenerationTimeSaved().getSeconds()).isEqualTo(2);
  }

  private CacheStats.TypeStats firstStats() {
    CacheStats stats = cache.getCacheStats(GetCacheStatsRequest.getDefaultInstance());
    return stats.getTypesCount() == 0
        ? CacheStats.TypeStats.getDefaultInstance()
        : stats.getTypes(0);
  }

  @Test
  void putsAllOfABatchOrNone() {
    PredictionPut good =
        PredictionPut.newBuilder().setPrediction(prediction(1, info -> {})).build();
    PredictionPut bad =
        PredictionPut.newBuilder()
            .setPrediction(
                prediction(2, info -> {}).toBuilder().setKey(key().toBuilder().setName("other")))
            .setCondition(PutCondition.newBuilder().setLeaseId(Given.id()))
            .build();

    Told told =
        Told.by(() ->
            predictions.batchPutPredictions(
                BatchPutPredictionsRequest.newBuilder().addPuts(good).addPuts(bad).build()));

    assertThat(told.reason()).isEqualTo("LEASE_LOST");
    assertThat(get().getState()).isEqualTo(EntryInfo.State.ABSENT);
  }

  @Test
  void readsManyInTheOrderAskedFor() {
    put(7);
    PredictionKey absent = key().toBuilder().setName("absent").build();

    var results =
        predictions
            .batchGetPredictions(
                BatchGetPredictionsRequest.newBuilder()
                    .addKeys(absent)
                    .addKeys(key())
                    .addKeys(absent)
                    .setOptions(STRONG)
                    .build())
            .getResultsList();

    assertThat(results).extracting(it -> it.getHit()).containsExactly(false, true, false);
  }

  @Test
  void putsOnceUnderOneRequestId() {
    PutPredictionRequest request =
        PutPredictionRequest.newBuilder()
            .setPrediction(prediction(1, info -> {}))
            .setRequestId(Given.id())
            .build();

    Prediction first = predictions.putPrediction(request);
    Prediction again = predictions.putPrediction(request);

    assertThat(again).isEqualTo(first);
    assertThat(get().getPrediction()).isEqualTo(first);
  }

  @Test
  void putsNothingIfOnlyValidated() {
    predictions.putPrediction(
        PutPredictionRequest.newBuilder()
            .setPrediction(prediction(1, info -> {}))
            .setValidateOnly(true)
            .build());

    assertThat(get().getState()).isEqualTo(EntryInfo.State.ABSENT);
  }

  @Test
  void putsOnlyOverTheEtagThatWasRead() {
    String etag = put(1).getInfo().getEtag();
    PutPredictionRequest over =
        PutPredictionRequest.newBuilder()
            .setPrediction(prediction(2, info -> {}))
            .setCondition(PutCondition.newBuilder().setIfEtag(etag))
            .build();
    String now = predictions.putPrediction(over).getInfo().getEtag();

    Told told = Told.by(() -> predictions.putPrediction(over));

    assertThat(told.code()).isEqualTo(Code.ABORTED);
    assertThat(told.reason()).isEqualTo("ETAG_MISMATCH");
    assertThat(told.metadata()).containsEntry("etag", now);
  }

  @Test
  void givesTheSameLeaseToTheSameCallMadeAgain() {
    GetOrLeasePredictionRequest request =
        GetOrLeasePredictionRequest.newBuilder().setKey(key()).setLeaseId(Given.id()).build();

    var first = predictions.getOrLeasePrediction(request);
    var again = predictions.getOrLeasePrediction(request);

    assertThat(first.getOutcome()).isEqualTo(Lease.Outcome.COMPUTE);
    assertThat(again.getLease().getId()).isEqualTo(first.getLease().getId());
  }

  @Test
  void anotherCallerComputesWhenALeaseIsGivenUp() {
    var first = getOrLease();
    cache.releaseLease(
        ReleaseLeaseRequest.newBuilder()
            .setKey(cacheKey())
            .setLeaseId(first.getLease().getId())
            .build());

    var second = getOrLease();

    assertThat(second.getOutcome()).isEqualTo(Lease.Outcome.COMPUTE);
    assertThat(second.getLease().getToken()).isGreaterThan(first.getLease().getToken());
  }

  @Test
  void aLeaseCanBeRenewedWhileItHolds() {
    var leased = getOrLease();
    RenewLeaseRequest renew =
        RenewLeaseRequest.newBuilder()
            .setKey(cacheKey())
            .setLeaseId(leased.getLease().getId())
            .setLeaseTime(Duration.newBuilder().setSeconds(600))
            .build();

    Lease renewed = cache.renewLease(renew);

    assertThat(renewed.getExpiresAt().getSeconds())
        .isGreaterThan(leased.getLease().getExpiresAt().getSeconds() + 500);
    putUnder(leased.getLease().getId(), 1);
    assertThat(Told.by(() -> cache.renewLease(renew)).reason()).isEqualTo("LEASE_LOST");
  }

  @Test
  void handsOutWhatIsToBeComputedToOneCallerEach() {
    PredictionKey other = key().toBuilder().setName("other").build();
    put(1);
    WarmEntriesRequest request =
        WarmEntriesRequest.newBuilder()
            .addKeys(cacheKey())
            .addKeys(CacheKey.newBuilder().setPrediction(other))
            .build();

    assertThat(cache.warmEntries(request).getAdded()).isEqualTo(1);
    assertThat(cache.warmEntries(request).getAdded()).isZero();

    ClaimWarmupsRequest claim = ClaimWarmupsRequest.newBuilder().setLimit(10).build();
    var claimed = cache.claimWarmups(claim);
    assertThat(claimed.getWarmupsList())
        .singleElement()
        .satisfies(it -> assertThat(it.getKey().getPrediction()).isEqualTo(other));
    assertThat(cache.claimWarmups(claim).getWarmupsCount()).isZero();
    cache.releaseLease(
        ReleaseLeaseRequest.newBuilder()
            .setKey(claimed.getWarmups(0).getKey())
            .setLeaseId(claimed.getWarmups(0).getLease().getId())
            .build());
    var again = cache.claimWarmups(claim);
    assertThat(again.getWarmupsCount()).isEqualTo(1);
    predictions.putPrediction(
        PutPredictionRequest.newBuilder()
            .setPrediction(prediction(2, info -> {}).toBuilder().setKey(other))
            .setCondition(
                PutCondition.newBuilder().setLeaseId(again.getWarmups(0).getLease().getId()))
            .build());
    assertThat(cache.claimWarmups(claim).getWarmupsCount()).isZero();
  }

  @Test
  void theSameLeaseAskedForAgainCountsFromTheFirstTime() {
    GetOrLeasePredictionRequest request =
        GetOrLeasePredictionRequest.newBuilder().setKey(key()).setLeaseId(Given.id()).build();
    predictions.getOrLeasePrediction(request);

    track("transaction_creation");
    predictions.getOrLeasePrediction(request);
    putUnder(request.getLeaseId(), 1);

    assertThat(get().getState()).isEqualTo(EntryInfo.State.INVALID);
  }

  @Test
  void whatIsInvalidatedWhileItIsComputedIsNotKeptAsGood() {
    getOrLease();
    cache.invalidateEntries(InvalidateEntriesRequest.newBuilder().setUserId(user).build());
    GetOrLeasePredictionResponse again = getOrLease();

    assertThat(again.getOutcome()).isEqualTo(Lease.Outcome.COMPUTE);
    putUnder(again.getLease().getId(), 2);
    assertThat(get().getState()).isEqualTo(EntryInfo.State.FRESH);
  }

  @Test
  void answersAsBeforeAlsoWhenTheEntryHasExpiredSince() {
    PutPredictionRequest request =
        PutPredictionRequest.newBuilder()
            .setPrediction(
                prediction(
                    1,
                    info ->
                        info.setExpiresAt(Times.proto(rapport.clock().instant().plusSeconds(10)))))
            .setRequestId(Given.id())
            .build();
    Prediction first = predictions.putPrediction(request);

    rapport.clock().forward(java.time.Duration.ofSeconds(11));

    assertThat(predictions.putPrediction(request)).isEqualTo(first);
  }
}
