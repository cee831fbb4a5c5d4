package io.rapport.search.embedder;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.rapport.search.Embedder;
import io.rapport.search.EmbedderException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.FloatBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The sentence model all-MiniLM-L6-v2, quantised to bytes, in this process. It is loaded when the
 * first text comes.
 *
 * <p>A vector is the mean of its pieces' vectors, of unit length. A text is read in windows of 254
 * pieces, the first eight of them, and their means are weighted by their pieces. Each window is run
 * by itself: the model's numbers are scaled by the greatest of all that is run together, so a
 * text's neighbours would change its vector.
 */
final class LocalEmbedder implements Embedder {
  /** The number counts what changes vectors: the model's file, the pieces, the pooling. */
  static final String MODEL = "all-MiniLM-L6-v2-q@1";

  private static final Logger log = LoggerFactory.getLogger(LocalEmbedder.class);
  private static final int NATIVE = 384;
  private static final int WINDOW = 254;
  private static final int WINDOWS = 8;

  private final int threads;
  private final ModelThreads turns;
  private final Object lock = new Object();
  private volatile @Nullable Loaded loaded;
  private boolean closed;

  private record Loaded(OrtEnvironment environment, OrtSession session, WordPieces pieces) {}

  /**
   * @param threads how many work at one text
   */
  LocalEmbedder(int threads) {
    this.threads = threads;
    this.turns =
        new ModelThreads(ModelThreads.count(Runtime.getRuntime().availableProcessors(), threads));
  }

  @Override
  public String model() {
    return MODEL;
  }

  @Override
  public int dimensions() {
    return NATIVE;
  }

  @Override
  public List<float[]> embed(List<String> texts) {
    return texts.stream().map(text -> embed(text, false)).toList();
  }

  @Override
  public List<float[]> embedInBackground(List<String> texts, int tries) {
    return texts.stream().map(text -> embed(text, true)).toList();
  }

  /** Each window waits for its own turn, so that long texts don't hold up short ones. */
  private float[] embed(String text, boolean background) {
    Loaded known = loaded;
    Loaded model = known != null ? known : turns.run(background, this::load);
    int[] pieces = model.pieces().of(text, WINDOW * WINDOWS);
    double[] sum = new double[NATIVE];
    for (int from = 0; from == 0 || from < pieces.length; from += WINDOW) {
      int begin = from;
      int end = Math.min(pieces.length, from + WINDOW);
      double[] mean = turns.run(background, () -> mean(model, pieces, begin, end));
      for (int i = 0; i < NATIVE; i++) {
        sum[i] += mean[i];
      }
    }
    return unit(sum);
  }

  /** The mean of a window's vectors, of unit length, times the number of its pieces. */
  private static double[] mean(Loaded model, int[] pieces, int from, int to) throws OrtException {
    int length = to - from + 2;
    LongBuffer ids = LongBuffer.allocate(length);
    ids.put(model.pieces().id("[CLS]"));
    for (int i = from; i < to; i++) {
      ids.put(pieces[i]);
    }
    ids.put(model.pieces().id("[SEP]")).flip();
    long[] shape = {1, length};
    LongBuffer ones = LongBuffer.allocate(length);
    while (ones.hasRemaining()) {
      ones.put(1);
    }
    try (OnnxTensor input = OnnxTensor.createTensor(model.environment(), ids, shape);
        OnnxTensor mask = OnnxTensor.createTensor(model.environment(), ones.flip(), shape);
        OnnxTensor types =
            OnnxTensor.createTensor(model.environment(), LongBuffer.allocate(length), shape);
        OrtSession.Result result =
            model
                .session()
                .run(Map.of("input_ids", input, "attention_mask", mask, "token_type_ids", types))) {
      return mean(((OnnxTensor) result.get(0)).getFloatBuffer(), Math.max(1, to - from));
    }
  }

  private static double[] mean(FloatBuffer states, int weight) {
    double[] mean = new double[NATIVE];
    for (int i = 0; states.hasRemaining(); i++) {
      mean[i % NATIVE] += states.get();
    }
    double scale = weight / length(mean);
    for (int i = 0; i < NATIVE; i++) {
      mean[i] *= scale;
    }
    return mean;
  }

  private static double length(double[] vector) {
    double squares = 0;
    for (double number : vector) {
      squares += number * number;
    }
    return Math.sqrt(squares);
  }

  private static float[] unit(double[] sum) {
    double length = length(sum);
    float[] vector = new float[DIMENSIONS];
    for (int i = 0; i < NATIVE; i++) {
      vector[i] = (float) (sum[i] / length);
    }
    return vector;
  }

  private Loaded load() {
    Loaded model = loaded;
    if (model != null) {
      return model;
    }
    synchronized (lock) {
      if (closed) {
        throw EmbedderException.unavailable("the server is stopping", Duration.ofSeconds(1));
      }
      if (loaded == null) {
        loaded = read();
      }
      return Objects.requireNonNull(loaded);
    }
  }

  private Loaded read() {
    long begin = System.nanoTime();
    try {
      OrtEnvironment environment = OrtEnvironment.getEnvironment("rapport");
      OrtSession.SessionOptions options = new OrtSession.SessionOptions();
      options.setIntraOpNumThreads(threads);
      options.setInterOpNumThreads(1);
      options.setCPUArenaAllocator(false);
      options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
      byte[] bytes;
      try (InputStream file = file("all-minilm-l6-v2-q.onnx")) {
        bytes = file.readAllBytes();
      }
      Loaded model =
          new Loaded(
              environment,
              environment.createSession(bytes, options),
              WordPieces.read(file("all-minilm-l6-v2-q-tokenizer.json")));
      log.info(
          "the model {} is loaded, in {} ms, run by ONNX Runtime {}",
          MODEL,
          Duration.ofNanos(System.nanoTime() - begin).toMillis(),
          environment.getVersion());
      return model;
    } catch (OrtException | IOException | LinkageError | RuntimeException e) {
      log.error("the local model can't be loaded", e);
      throw EmbedderException.broken("the local model can't be loaded: " + e);
    }
  }

  private static InputStream file(String name) {
    return Objects.requireNonNull(
        LocalEmbedder.class.getResourceAsStream("/" + name), () -> name + " is missing");
  }

  @Override
  public void close() {
    boolean idle = turns.end();
    synchronized (lock) {
      closed = true;
      Loaded model = loaded;
      loaded = null;
      if (model != null && idle) {
        try {
          model.session().close();
        } catch (OrtException e) {
          log.warn("the local model can't be closed", e);
        }
      }
    }
  }
}
