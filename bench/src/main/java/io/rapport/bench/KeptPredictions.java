package io.rapport.bench;

import com.google.protobuf.ByteString;
import io.grpc.Channel;
import io.rapport.caching.v1.BatchPutPredictionsRequest;
import io.rapport.caching.v1.GetPredictionRequest;
import io.rapport.caching.v1.GetPredictionResponse;
import io.rapport.caching.v1.OpaqueValue;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionCacheServiceGrpc;
import io.rapport.caching.v1.PredictionKey;
import io.rapport.caching.v1.PredictionPut;
import io.rapport.caching.v1.PredictionValue;
import io.rapport.caching.v1.PutPredictionRequest;
import io.rapport.caching.v1.ReadOptions;
import io.rapport.caching.v1.ReadOptions.Consistency;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.TrackEventRequest;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Values of 512 bytes under many keys of a user, and calls that get them. */
final class KeptPredictions {
  private static final int VALUE_BYTES = 512;
  private static final int BATCH = 100;

  private final Channel channel;
  private final List<PredictionKey> keys;

  private KeptPredictions(Channel channel, List<PredictionKey> keys) {
    this.channel = channel;
    this.keys = keys;
  }

  /**
   * Puts so many.
   *
   * @param channel to the server, for the tenant
   */
  static KeptPredictions put(
      Site site, Tenants.Tenant tenant, Channel channel, Samples samples, int count)
      throws SQLException {
    var _ =
        EventServiceGrpc.newBlockingStub(channel)
            .trackEvent(TrackEventRequest.newBuilder().setEvent(samples.one()).build());
    String user =
        site.setting(
            "SELECT id FROM identity.users WHERE tenant_id = '" + tenant.id() + "' LIMIT 1");
    List<PredictionKey> keys =
        IntStream.range(0, count).mapToObj(i -> key(user, "number " + i)).toList();
    var predictions = PredictionCacheServiceGrpc.newBlockingStub(channel);
    Random random = new Random(count);
    for (int i = 0; i < count; i += BATCH) {
      List<PredictionKey> batch = keys.subList(i, Math.min(count, i + BATCH));
      var _ = predictions.batchPutPredictions(puts(batch, random));
    }
    return new KeptPredictions(channel, keys);
  }

  private static PredictionKey key(String user, String name) {
    return PredictionKey.newBuilder()
        .setUserId(user)
        .setType(PredictionKey.Type.SPENDING)
        .setName(name)
        .build();
  }

  private static BatchPutPredictionsRequest puts(List<PredictionKey> keys, Random random) {
    BatchPutPredictionsRequest.Builder request = BatchPutPredictionsRequest.newBuilder();
    for (PredictionKey key : keys) {
      Prediction prediction = Prediction.newBuilder().setKey(key).setValue(value(random)).build();
      request.addPuts(PredictionPut.newBuilder().setPrediction(prediction));
    }
    return request.build();
  }

  private static PredictionValue value(Random random) {
    return PredictionValue.newBuilder()
        .setOpaque(
            OpaqueValue.newBuilder()
                .setData(ByteString.copyFrom(bytes(random)))
                .setMediaType("application/octet-stream"))
        .build();
  }

  static byte[] bytes(Random random) {
    byte[] bytes = new byte[VALUE_BYTES];
    random.nextBytes(bytes);
    return bytes;
  }

  /** The same to be got over another channel. */
  KeptPredictions over(Channel another) {
    return new KeptPredictions(another, keys);
  }

  /** Calls that get one after the other, again and again; each must be a hit. */
  Supplier<CallLoad.Call> gets(Consistency consistency) {
    List<CallLoad.Call> calls = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      calls.add(get(i, consistency, GetPredictionResponse::getHit));
    }
    AtomicInteger turn = new AtomicInteger();
    return () -> calls.get(Math.floorMod(turn.getAndIncrement(), calls.size()));
  }

  CallLoad.Call get(int i, Consistency consistency, Predicate<GetPredictionResponse> isRight) {
    ReadOptions options = ReadOptions.newBuilder().setConsistency(consistency).build();
    return new RpcCall<>(
        channel,
        PredictionCacheServiceGrpc.getGetPredictionMethod(),
        GetPredictionRequest.newBuilder().setKey(keys.get(i)).setOptions(options).build(),
        isRight);
  }

  /** Puts another value. */
  CallLoad.Call put(int i, Random random) {
    Prediction prediction =
        Prediction.newBuilder().setKey(keys.get(i)).setValue(value(random)).build();
    return new RpcCall<>(
        channel,
        PredictionCacheServiceGrpc.getPutPredictionMethod(),
        PutPredictionRequest.newBuilder().setPrediction(prediction).build(),
        answer -> true);
  }
}
