package io.rapport.search.query;

import io.rapport.platform.ServiceException;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.search.Embedder;
import java.util.List;

/** A vector of unit length, or nearly so. */
final class Embedding {
  private final float[] values;

  Embedding(float[] values) {
    this.values = values;
  }

  /**
   * A caller's vector at unit length.
   *
   * @param path where it stands in the request
   */
  static Embedding read(List<Float> values, String path) {
    if (values.size() != Embedder.DIMENSIONS) {
      throw invalid(
          path, "must have " + Embedder.DIMENSIONS + " numbers, and has " + values.size());
    }
    float[] vector = new float[values.size()];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = values.get(i);
      if (!Float.isFinite(vector[i])) {
        throw invalid(path + "[" + i + "]", "must be a finite number");
      }
    }
    return unit(vector, path);
  }

  /** A vector brought to unit length. */
  static Embedding unit(float[] vector, String path) {
    double length = Math.sqrt(dot(vector, vector));
    if (!(length > 0)) {
      throw invalid(path, "must have a direction: it is 0 everywhere");
    }
    float[] unit = new float[vector.length];
    for (int i = 0; i < unit.length; i++) {
      unit[i] = (float) (vector[i] / length);
    }
    return new Embedding(unit);
  }

  /** The mean of some vectors minus that of others. */
  static Embedding difference(List<Embedding> positive, List<Embedding> negative, String path) {
    float[] sum = new float[Embedder.DIMENSIONS];
    add(sum, positive, 1.0 / positive.size());
    add(sum, negative, -1.0 / Math.max(1, negative.size()));
    return unit(sum, path);
  }

  private static void add(float[] sum, List<Embedding> vectors, double factor) {
    for (Embedding vector : vectors) {
      for (int i = 0; i < sum.length; i++) {
        sum[i] = (float) (sum[i] + factor * vector.values[i]);
      }
    }
  }

  /** Of vectors of the same model. */
  double cosine(Embedding other) {
    return dot(values, other.values);
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  float[] values() {
    return values;
  }

  private static ServiceException invalid(String path, String description) {
    return ServiceException.invalid(path, ErrorReason.INVALID_FIELD, description);
  }
}
