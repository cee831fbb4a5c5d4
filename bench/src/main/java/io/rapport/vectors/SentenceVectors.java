package io.rapport.vectors;

import ai.onnxruntime.OrtException;
import io.rapport.bench.Report;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.IntPredicate;

/**
 * Vectors of sentences: of those that are stored, and of the questions, which are not. They are
 * made once and kept in a file beside what the build makes.
 */
public final class SentenceVectors {
  /** What the service knows the model by. */
  public static final String MODEL = "all-minilm-l6-v2-q";

  /** Those of the model are filled up with zeros, which changes no distance and no time. */
  public static final int DIMENSIONS = 1536;

  /** How many questions there are. */
  public static final int QUESTIONS = 500;

  private static final Path DATA = Path.of("../shared/data/engineering-events.ndjson.gz");
  private static final int BATCH = 32;
  private static final int SAID_EACH = 5_000;

  private final List<String> texts;
  private final float[][] vectors;

  private SentenceVectors(List<String> texts, float[][] vectors) {
    this.texts = texts;
    this.vectors = vectors;
  }

  /** The same from the data that lies beside the checkout. */
  public static SentenceVectors load(int rows) throws IOException, OrtException {
    return load(DATA, rows);
  }

  /**
   * @param events the real events
   * @param rows how many sentences are stored
   */
  public static SentenceVectors load(Path events, int rows) throws IOException, OrtException {
    if (!Files.isReadable(events)) {
      throw new IOException("the real events are needed, to embed their texts: " + events);
    }
    List<String> texts = Sentences.of(events, QUESTIONS);
    int count = QUESTIONS + rows;
    if (texts.size() < count) {
      throw new IOException("there are only " + (texts.size() - QUESTIONS) + " texts");
    }
    Path kept =
        Path.of(System.getProperty("rapport.checkout", ""), "target", "sentence-vectors.bin");
    Files.createDirectories(kept.toAbsolutePath().getParent());
    try (SeekableByteChannel file =
        Files.newByteChannel(
            kept, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
      complete(file, texts.subList(0, count));
      return new SentenceVectors(texts.subList(QUESTIONS, count), read(file, count));
    }
  }

  /** Embeds those that the file doesn't have yet. */
  private static void complete(SeekableByteChannel file, List<String> texts)
      throws IOException, OrtException {
    int bytes = SentenceModel.DIMENSIONS * Float.BYTES;
    int done = (int) (file.size() / bytes);
    if (done >= texts.size()) {
      return;
    }
    Report.say("  embedding %,d sentences, this once", texts.size() - done);
    file.position((long) done * bytes);
    try (SentenceModel model = SentenceModel.load()) {
      for (int from = done; from < texts.size(); from += BATCH) {
        List<String> batch = texts.subList(from, Math.min(texts.size(), from + BATCH));
        ByteBuffer buffer =
            ByteBuffer.allocate(batch.size() * bytes).order(ByteOrder.LITTLE_ENDIAN);
        model.embed(batch).forEach(vector -> put(buffer, vector));
        file.write(buffer.flip());
        if (from / SAID_EACH != (from + BATCH) / SAID_EACH) {
          Report.say("  %,d of %,d", from + BATCH, texts.size());
        }
      }
    }
  }

  private static void put(ByteBuffer buffer, float[] vector) {
    for (float component : vector) {
      buffer.putFloat(component);
    }
  }

  private static float[][] read(SeekableByteChannel file, int count) throws IOException {
    ByteBuffer bytes =
        ByteBuffer.allocate(count * SentenceModel.DIMENSIONS * Float.BYTES)
            .order(ByteOrder.LITTLE_ENDIAN);
    file.position(0);
    while (bytes.hasRemaining() && file.read(bytes) >= 0) {}
    bytes.flip();
    float[][] vectors = new float[count][SentenceModel.DIMENSIONS];
    for (float[] vector : vectors) {
      bytes.asFloatBuffer().get(vector);
      bytes.position(bytes.position() + SentenceModel.DIMENSIONS * Float.BYTES);
    }
    return vectors;
  }

  /** How many are stored. */
  public int rows() {
    return texts.size();
  }

  /** The text of a row. */
  public String text(int row) {
    return texts.get(row);
  }

  /** The vector of a row, 1,536 numbers. */
  public float[] row(int row) {
    return Arrays.copyOf(vectors[QUESTIONS + row], DIMENSIONS);
  }

  /** The vector of a question, 1,536 numbers. */
  public float[] question(int question) {
    return Arrays.copyOf(vectors[question], DIMENSIONS);
  }

  /** The distances from a question to its nearest rows among those that pass, the nearest first. */
  public double[] nearest(int question, int count, IntPredicate filter) {
    PriorityQueue<Double> nearest = new PriorityQueue<>((a, b) -> Double.compare(b, a));
    for (int row = 0; row < texts.size(); row++) {
      if (filter.test(row)) {
        double distance = distance(vectors[question], vectors[QUESTIONS + row]);
        if (nearest.size() < count) {
          nearest.add(distance);
        } else if (distance < nearest.element()) {
          nearest.remove();
          nearest.add(distance);
        }
      }
    }
    return nearest.stream().mapToDouble(Double::doubleValue).sorted().toArray();
  }

  private static double distance(float[] a, float[] b) {
    float product = 0;
    for (int d = 0; d < a.length; d++) {
      product += a[d] * b[d];
    }
    return 1 - product;
  }
}
