package io.rapport.vectors;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** all-MiniLM-L6-v2, quantised: the mean of the tokens' vectors, at unit length. */
final class SentenceModel implements AutoCloseable {
  static final int DIMENSIONS = 384;
  private static final String NAME = "/all-minilm-l6-v2-q";
  private static final String TOKENS = "256";

  private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
  private final OrtSession session;
  private final HuggingFaceTokenizer tokenizer;

  private SentenceModel(OrtSession session, HuggingFaceTokenizer tokenizer) {
    this.session = session;
    this.tokenizer = tokenizer;
  }

  static SentenceModel load() throws IOException, OrtException {
    try (InputStream model = file(".onnx");
        InputStream words = file("-tokenizer.json");
        OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
      options.setIntraOpNumThreads(Runtime.getRuntime().availableProcessors());
      OrtSession session =
          OrtEnvironment.getEnvironment().createSession(model.readAllBytes(), options);
      Map<String, String> cut =
          Map.of(
              "padding",
              "true",
              "truncation",
              "true",
              "maxLength",
              TOKENS,
              "modelMaxLength",
              TOKENS);
      return new SentenceModel(session, HuggingFaceTokenizer.newInstance(words, cut));
    }
  }

  private static InputStream file(String suffix) throws IOException {
    InputStream found = SentenceModel.class.getResourceAsStream(NAME + suffix);
    if (found == null) {
      throw new FileNotFoundException(NAME + suffix);
    }
    return found;
  }

  /** A vector of each text, in their order. */
  List<float[]> embed(List<String> texts) throws OrtException {
    Encoding[] encodings = tokenizer.batchEncode(texts);
    long[][] ids = new long[encodings.length][];
    long[][] mask = new long[encodings.length][];
    long[][] types = new long[encodings.length][];
    for (int i = 0; i < encodings.length; i++) {
      ids[i] = encodings[i].getIds();
      mask[i] = encodings[i].getAttentionMask();
      types[i] = encodings[i].getTypeIds();
    }
    try (OnnxTensor idTensor = OnnxTensor.createTensor(environment, ids);
        OnnxTensor maskTensor = OnnxTensor.createTensor(environment, mask);
        OnnxTensor typeTensor = OnnxTensor.createTensor(environment, types);
        OrtSession.Result result =
            session.run(
                Map.of(
                    "input_ids", idTensor,
                    "attention_mask", maskTensor,
                    "token_type_ids", typeTensor))) {
      float[][][] hidden = (float[][][]) result.get(0).getValue();
      List<float[]> vectors = new ArrayList<>();
      for (int i = 0; i < hidden.length; i++) {
        vectors.add(mean(hidden[i], mask[i]));
      }
      return vectors;
    }
  }

  private static float[] mean(float[][] tokens, long[] mask) {
    float[] sum = new float[DIMENSIONS];
    for (int token = 0; token < tokens.length; token++) {
      for (int d = 0; mask[token] == 1 && d < DIMENSIONS; d++) {
        sum[d] += tokens[token][d];
      }
    }
    double squares = 0;
    for (float component : sum) {
      squares += component * component;
    }
    float length = (float) Math.sqrt(squares);
    for (int d = 0; d < DIMENSIONS; d++) {
      sum[d] /= length;
    }
    return sum;
  }

  @Override
  public void close() throws OrtException {
    tokenizer.close();
    session.close();
  }
}
