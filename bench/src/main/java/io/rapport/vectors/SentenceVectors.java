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
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;

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
  private static final int CHUNK = 2_048;

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
      for (int from = done; from < texts.size(); from += CHUNK) {
        List<String> chunk = texts.subList(from, Math.min(texts.size(), from + CHUNK));
        ByteBuffer buffer =
            ByteBuffer.allocate(chunk.size() * bytes).order(ByteOrder.LITTLE_ENDIAN);
        for (float[] vector : embed(model, chunk)) {
          put(buffer, vector);
        }
        file.write(buffer.flip());
        Report.say("  %,d of %,d", from + chunk.size(), texts.size());
      }
    }
  }

  /** Texts of like length at a time, because all of a batch take as long as its longest. */
  private static float[][] embed(SentenceModel model, List<String> texts) throws OrtException {
    List<Integer> order =
        IntStream.range(0, texts.size())
            .boxed()
            .sorted(Comparator.comparingInt(i -> texts.get(i).length()))
            .toList();
    float[][] vectors = new float[texts.size()][];
    for (int from = 0; from < order.size(); from += BATCH) {
      List<Integer> batch = order.subList(from, Math.min(order.size(), from + BATCH));
      List<float[]> made = model.embed(batch.stream().map(texts::get).toList());
      for (int i = 0; i < batch.size(); i++) {
        vectors[batch.get(i)] = made.get(i);
      }
    }
    return vectors;
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
