package io.rapport.search.embedding;

import com.google.protobuf.ByteString;
import com.google.rpc.BadRequest.FieldViolation;
import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.v1.NewEmbedding;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads vectors that callers send, and brings them to the form in which they are kept. */
final class Vectors {
  private Vectors() {}

  /** The numbers of a vector, as they were sent. */
  static float[] read(NewEmbedding embedding) {
    if (embedding.getVectorCount() > 0) {
      float[] numbers = new float[embedding.getVectorCount()];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = embedding.getVector(i);
      }
      return numbers;
    }
    ByteString packed = embedding.getPackedVector();
    FloatBuffer floats =
        packed.asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer();
    float[] numbers = new float[floats.remaining()];
    floats.get(numbers);
    return numbers;
  }

  /** What is wrong with a vector, with the field's path in its message; null if nothing is. */
  static @Nullable FieldViolation fault(NewEmbedding embedding, int dimensions) {
    boolean unpacked = embedding.getVectorCount() > 0;
    if (unpacked != embedding.getPackedVector().isEmpty()) {
      return violation("vector", "set exactly one of vector and packed_vector");
    }
    String field = unpacked ? "vector" : "packed_vector";
    if (!unpacked && embedding.getPackedVector().size() % Float.BYTES != 0) {
      return violation(field, "must have four bytes for each number");
    }
    float[] numbers = read(embedding);
    if (numbers.length != dimensions) {
      return violation(
          field, "must have " + dimensions + " numbers, as the model has, not " + numbers.length);
    }
    for (int i = 0; i < numbers.length; i++) {
      if (!Float.isFinite(numbers[i])) {
        return violation(field + "[" + i + "]", "must be a finite number");
      }
    }
    return length(numbers) == 0 ? violation(field, "must not be all zeros") : null;
  }

  private static FieldViolation violation(String field, String description) {
    return ServiceException.violation(field, ErrorReason.INVALID_FIELD, description);
  }

  /** Whether an embedder made what can be kept. */
  static boolean isSound(float[] vector) {
    double length = length(vector);
    return Double.isFinite(length) && length > 0;
  }

  /** Writes a vector of unit length; what it lacks are zeros. */
  static void putUnit(float[] vector, float[] target, int offset) {
    double length = length(vector);
    for (int i = 0; i < vector.length; i++) {
      target[offset + i] = (float) (vector[i] / length);
    }
  }

  private static double length(float[] vector) {
    double sum = 0;
    for (float number : vector) {
      sum += (double) number * number;
    }
    return Math.sqrt(sum);
  }

  /** The first numbers of a vector that is kept. */
  static List<Float> first(float[] vector, int dimensions) {
    Float[] numbers = new Float[dimensions];
    for (int i = 0; i < dimensions; i++) {
      numbers[i] = vector[i];
    }
    return List.of(numbers);
  }
}
