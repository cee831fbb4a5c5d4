package io.rapport.server;

import com.google.protobuf.Message;
import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.StatusException;
import io.grpc.stub.ClientCalls;
import io.rapport.search.v1.ClaimStaleEmbeddingsRequest;
import io.rapport.search.v1.ClaimedText;
import io.rapport.search.v1.EmbeddingModelServiceGrpc;
import io.rapport.search.v1.EmbeddingServiceGrpc;
import io.rapport.search.v1.IngestEmbeddingsRequest;
import io.rapport.search.v1.NewEmbedding;
import io.rapport.search.v1.PutEmbeddingsRequest;
import io.rapport.search.v1.StartEmbeddingModelRequest;
import io.rapport.server.TenantIsolationTest.Call;
import io.rapport.server.TenantIsolationTest.Names;
import java.util.List;
import java.util.stream.Stream;

/** Calls of the RPCs of embeddings about what is a tenant's. */
final class EmbeddingCalls {
  private static final String PACKAGE = "rapport.search.v1.";
  private static final String KIND = "monitoring.learning_memory";
  private static final String OF = "kind: '" + KIND + "' ";
  private static final String MODEL = OF + "model: '%P' ";
  private static final String LEASE = OF + "lease_id: '%E' ";
  private static final String HASH = "01234567890123456789012345678901";
  private static final String VECTOR =
      "embeddings { id: '%H' content_hash: '" + HASH + "' vector: 1 vector: 2 }";

  /** With a plus those that answer otherwise for what is there. */
  private static final List<String> LINES =
      List.of(
          "+EmbeddingService/GetEmbeddings " + OF + "ids: '%H'",
          "+EmbeddingService/GetEmbeddings " + MODEL + "ids: '%H'",
          "+EmbeddingService/ListStaleEmbeddings " + MODEL,
          "+EmbeddingService/PutEmbeddings " + MODEL + VECTOR,
          "+EmbeddingService/ClaimStaleEmbeddings " + MODEL,
          "EmbeddingService/RenewEmbeddingClaim " + LEASE,
          "EmbeddingService/ReleaseEmbeddingClaim " + LEASE,
          "EmbeddingService/ReportEmbeddingFailures " + LEASE + "failures { id: '%H' reason: 'x' }",
          "+EmbeddingService/RetryFailedEmbeddings " + MODEL,
          "EmbeddingModelService/ListEmbeddingModels " + OF,
          "EmbeddingModelService/GetEmbeddingCoverage kinds: '" + KIND + "'",
          "EmbeddingModelService/ListEmbeddedKinds ",
          "+EmbeddingModelService/StartEmbeddingModel "
              + MODEL
              + "dimensions: 2 validate_only: true",
          "+EmbeddingModelService/SwitchEmbeddingModel " + MODEL,
          "+EmbeddingModelService/RetireEmbeddingModel " + MODEL + "validate_only: true");

  private EmbeddingCalls() {}

  static Stream<Call> all() {
    return Stream.concat(
        LINES.stream().map(line -> TextCalls.call(PACKAGE, line)),
        Stream.of(
            new Call(PACKAGE + "EmbeddingService/IngestEmbeddings", EmbeddingCalls::ingest, true)));
  }

  /** Starts a model, and embeds the entry that is there. */
  static void make(Channel channel, Names names) {
    EmbeddingModelServiceGrpc.newBlockingStub(channel)
        .startEmbeddingModel(
            StartEmbeddingModelRequest.newBuilder()
                .setKind(KIND)
                .setModel(names.property())
                .setDimensions(2)
                .build());
    var embeddings = EmbeddingServiceGrpc.newBlockingStub(channel);
    for (ClaimedText text :
        embeddings
            .claimStaleEmbeddings(ClaimStaleEmbeddingsRequest.newBuilder().setKind(KIND).build())
            .getTextsList()) {
      embeddings.putEmbeddings(
          PutEmbeddingsRequest.newBuilder()
              .setKind(KIND)
              .setModel(names.property())
              .addEmbeddings(
                  NewEmbedding.newBuilder()
                      .setId(text.getId())
                      .setContentHash(text.getContentHash())
                      .addVector(3)
                      .addVector(4))
              .build());
    }
  }

  /** Sends one message and waits for its answer. */
  private static Message ingest(Channel channel, Names names) {
    var call =
        ClientCalls.blockingBidiStreamingCall(
            channel, EmbeddingServiceGrpc.getIngestEmbeddingsMethod(), CallOptions.DEFAULT);
    try {
      call.write(
          IngestEmbeddingsRequest.newBuilder()
              .setKind(KIND)
              .setModel(names.property())
              .addEmbeddings(NewEmbedding.newBuilder().setId(names.held()))
              .build());
      Message answer = call.read();
      call.cancel("done", null);
      return answer;
    } catch (StatusException e) {
      throw e.getStatus().asRuntimeException(e.getTrailers());
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}
