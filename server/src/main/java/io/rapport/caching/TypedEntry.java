package io.rapport.caching;

import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Message;
import io.rapport.caching.v1.Analysis;
import io.rapport.caching.v1.AnalysisValue;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.Prediction;
import io.rapport.caching.v1.PredictionValue;

/** Entries as their callers know them. They are built once, for they are sent often. */
final class TypedEntry {
  private TypedEntry() {}

  /** The Prediction or Analysis of a value in protobuf's binary form. */
  static Message of(EntryKey key, ByteString value, EntryInfo info) {
    try {
      return key.key().hasPrediction()
          ? Prediction.newBuilder()
              .setKey(key.key().getPrediction())
              .setValue(PredictionValue.parseFrom(value))
              .setInfo(info)
              .build()
          : Analysis.newBuilder()
              .setKey(key.key().getAnalysis())
              .setValue(AnalysisValue.parseFrom(value))
              .setInfo(info)
              .build();
    } catch (InvalidProtocolBufferException e) {
      throw new IllegalStateException("an entry's value can't be read", e);
    }
  }

  /** The value in protobuf's binary form. */
  static ByteString value(Message message) {
    return message instanceof Prediction prediction
        ? prediction.getValue().toByteString()
        : ((Analysis) message).getValue().toByteString();
  }
}
