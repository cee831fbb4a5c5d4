package io.rapport.search.embedding;

import io.grpc.Status.Code;
import io.rapport.platform.Caller;
import io.rapport.platform.Ids;
import io.rapport.platform.ServiceException;
import io.rapport.platform.Times;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.embedding.Kinds.Place;
import io.rapport.search.embedding.StaleStore.Failed;
import io.rapport.search.embedding.StaleStore.Wish;
import io.rapport.search.v1.ClaimStaleEmbeddingsRequest;
import io.rapport.search.v1.ClaimStaleEmbeddingsResponse;
import io.rapport.search.v1.EmbeddingModel.State;
import io.rapport.search.v1.ReleaseEmbeddingClaimRequest;
import io.rapport.search.v1.ReleaseEmbeddingClaimResponse;
import io.rapport.search.v1.RenewEmbeddingClaimRequest;
import io.rapport.search.v1.RenewEmbeddingClaimResponse;
import io.rapport.search.v1.ReportEmbeddingFailuresRequest;
import io.rapport.search.v1.ReportEmbeddingFailuresResponse;
import io.rapport.search.v1.RetryFailedEmbeddingsRequest;
import io.rapport.search.v1.RetryFailedEmbeddingsResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** Hands out texts to be embedded. */
final class Claims {
  private static final int DEFAULT_TEXTS = 50;
  private static final Duration DEFAULT_LEASE = Duration.ofSeconds(60);

  private final Kinds kinds;
  private final ModelStore models = new ModelStore();
  private final StaleStore stale = new StaleStore();

  Claims(Kinds kinds) {
    this.kinds = kinds;
  }

  ClaimStaleEmbeddingsResponse claim(ClaimStaleEmbeddingsRequest request) {
    Place place = kinds.requireReadable(kinds.toWrite(request.getKind()));
    int texts = request.getMaxTexts() == 0 ? DEFAULT_TEXTS : request.getMaxTexts();
    Duration time = request.hasLeaseTime() ? duration(request.getLeaseTime()) : DEFAULT_LEASE;
    return write(
        place,
        tx -> {
          Optional<ModelStore.Model> model =
              models.find(tx, place.owner(), place.name(), request.getModel());
          if (model.isEmpty() || model.get().state() == State.RETIRED) {
            return nothing(request.getModel(), model);
          }
          UUID lease = Ids.random();
          ClaimStaleEmbeddingsResponse.Builder response =
              ClaimStaleEmbeddingsResponse.newBuilder()
                  .setModel(model.get().name())
                  .setDimensions(model.get().dimensions());
          stale
              .claim(
                  tx, place.owner(), new Wish(place.name(), model.get().name(), texts, lease, time))
              .ifPresent(claim ->
                  response
                      .addAllTexts(claim.texts())
                      .setLeaseId(lease.toString())
                      .setLeaseExpiresAt(Times.proto(claim.until())));
          return response.build();
        });
  }

  private static ClaimStaleEmbeddingsResponse nothing(
      String name, Optional<ModelStore.Model> model) {
    if (model.isPresent()) {
      throw ServiceException.failedPrecondition(
              ErrorReason.EMBEDDING_MODEL_STATE, "the model is retired")
          .with("state", model.get().state().name());
    }
    if (!name.isEmpty()) {
      throw ServiceException.notFound("embedding_model").with("model", name);
    }
    return ClaimStaleEmbeddingsResponse.getDefaultInstance();
  }

  RenewEmbeddingClaimResponse renew(RenewEmbeddingClaimRequest request) {
    Place place = kinds.toWrite(request.getKind());
    Duration time = request.hasLeaseTime() ? duration(request.getLeaseTime()) : DEFAULT_LEASE;
    StaleStore.Left left =
        write(
                place,
                tx ->
                    stale.renew(
                        tx,
                        place.owner(),
                        place.name(),
                        UUID.fromString(request.getLeaseId()),
                        time))
            .orElseThrow(() ->
                ServiceException.of(
                    Code.ABORTED, ErrorReason.LEASE_LOST, "nothing is left of the claim"));
    return RenewEmbeddingClaimResponse.newBuilder()
        .setTexts(left.texts())
        .setLeaseExpiresAt(Times.proto(left.until()))
        .build();
  }

  ReleaseEmbeddingClaimResponse release(ReleaseEmbeddingClaimRequest request) {
    Place place = kinds.toWrite(request.getKind());
    int texts =
        write(
            place,
            tx ->
                stale.release(
                    tx,
                    place.owner(),
                    place.name(),
                    UUID.fromString(request.getLeaseId()),
                    ids(request.getIdsList()),
                    Duration.ZERO));
    return ReleaseEmbeddingClaimResponse.newBuilder().setTexts(texts).build();
  }

  ReportEmbeddingFailuresResponse reportFailures(ReportEmbeddingFailuresRequest request) {
    Place place = kinds.toWrite(request.getKind());
    List<Failed> failed =
        request.getFailuresList().stream()
            .map(it -> new Failed(UUID.fromString(it.getId()), it.getReason(), it.getPermanent()))
            .toList();
    if (failed.stream().map(Failed::id).distinct().count() < failed.size()) {
      throw ServiceException.invalid(
          "failures", ErrorReason.INVALID_FIELD, "must be of different entities");
    }
    @Nullable Duration again = request.hasRetryAfter() ? duration(request.getRetryAfter()) : null;
    List<Integer> attempts =
        write(
            place,
            tx ->
                stale.fail(
                    tx,
                    place.owner(),
                    place.name(),
                    UUID.fromString(request.getLeaseId()),
                    failed,
                    again));
    return ReportEmbeddingFailuresResponse.newBuilder()
        .setReported(attempts.size())
        .setFailed((int) attempts.stream().filter(it -> it >= StaleStore.MAX_ATTEMPTS).count())
        .build();
  }

  RetryFailedEmbeddingsResponse retry(RetryFailedEmbeddingsRequest request) {
    Place place = kinds.toWrite(request.getKind());
    return place
        .work()
        .write(
            request,
            RetryFailedEmbeddingsResponse.parser(),
            tx -> {
              Optional<ModelStore.Model> model =
                  models.find(tx.dsl(), place.owner(), place.name(), request.getModel());
              if (model.isEmpty() && !request.getModel().isEmpty()) {
                throw ServiceException.notFound("embedding_model")
                    .with("model", request.getModel());
              }
              long texts =
                  model.isEmpty()
                      ? 0
                      : stale.retry(
                          tx.dsl(), place.owner(), model.get(), ids(request.getIdsList()));
              return RetryFailedEmbeddingsResponse.newBuilder().setTexts(texts).build();
            });
  }

  /** Leases are no data: they have no number among the tenant's commits. */
  private static <T> T write(Place place, Function<DSLContext, T> work) {
    return place.db().write(Caller.currentTenant().id(), work);
  }

  private static List<UUID> ids(List<String> texts) {
    return texts.stream().map(UUID::fromString).toList();
  }

  private static Duration duration(com.google.protobuf.Duration time) {
    return Duration.ofSeconds(time.getSeconds(), time.getNanos());
  }
}
