package io.rapport.bench;

import io.rapport.vectors.SentenceVectors;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Supplier;
import org.apache.lucene.codecs.FilterCodec;
import org.apache.lucene.codecs.KnnVectorsFormat;
import org.apache.lucene.codecs.KnnVectorsReader;
import org.apache.lucene.codecs.KnnVectorsWriter;
import org.apache.lucene.codecs.lucene99.Lucene99HnswVectorsFormat;
import org.apache.lucene.codecs.perfield.PerFieldKnnVectorsFormat;
import org.apache.lucene.document.Document;
import org.apache.lucene.document.KnnFloatVectorField;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.index.IndexWriter;
import org.apache.lucene.index.IndexWriterConfig;
import org.apache.lucene.index.SegmentReadState;
import org.apache.lucene.index.SegmentWriteState;
import org.apache.lucene.index.VectorSimilarityFunction;
import org.apache.lucene.search.IndexSearcher;
import org.apache.lucene.search.KnnFloatVectorQuery;
import org.apache.lucene.search.ScoreDoc;
import org.apache.lucene.store.MMapDirectory;

/** The same vectors in an HNSW graph of Apache Lucene's, in this process. */
final class LuceneVectors implements AutoCloseable {
  private static final String FIELD = "vector";
  private static final int LINKS = 16;
  private static final int BEAM = 128;
  private static final int NEIGHBOURS = 10;

  private final SentenceVectors vectors;
  private final Path directory;
  private final MMapDirectory files;
  private final DirectoryReader reader;
  private final IndexSearcher searcher;
  private final ExecutorService threads;

  private LuceneVectors(
      SentenceVectors vectors, Path directory, MMapDirectory files, DirectoryReader reader) {
    this.vectors = vectors;
    this.directory = directory;
    this.files = files;
    this.reader = reader;
    this.searcher = new IndexSearcher(reader);
    this.threads = Executors.newFixedThreadPool(Runtime.getRuntime().availableProcessors());
  }

  /** Builds the graph, in one segment. */
  static LuceneVectors build(SentenceVectors vectors) throws IOException {
    long start = System.nanoTime();
    Path directory = Files.createTempDirectory("rapport-lucene-");
    MMapDirectory files = new MMapDirectory(directory);
    IndexWriterConfig config = new IndexWriterConfig();
    config.setCodec(new WideCodec(config));
    config.setRAMBufferSizeMB(1900);
    try (IndexWriter writer = new IndexWriter(files, config)) {
      for (int row = 0; row < vectors.rows(); row++) {
        Document document = new Document();
        document.add(
            new KnnFloatVectorField(FIELD, vectors.row(row), VectorSimilarityFunction.DOT_PRODUCT));
        writer.addDocument(document);
      }
      writer.forceMerge(1);
    }
    Report.say("  Lucene's index built in %.1f s", (System.nanoTime() - start) / 1e9);
    return new LuceneVectors(vectors, directory, files, DirectoryReader.open(files));
  }

  /** Lucene's own codec takes 1,024 dimensions at most. */
  private static final class WideCodec extends FilterCodec {
    private final KnnVectorsFormat wide = new WideFormat();

    private WideCodec(IndexWriterConfig config) {
      super(config.getCodec().getName(), config.getCodec());
    }

    @Override
    public KnnVectorsFormat knnVectorsFormat() {
      return new PerFieldKnnVectorsFormat() {
        @Override
        public KnnVectorsFormat getKnnVectorsFormatForField(String field) {
          return wide;
        }
      };
    }
  }

  private static final class WideFormat extends KnnVectorsFormat {
    private final KnnVectorsFormat format = new Lucene99HnswVectorsFormat(LINKS, BEAM);

    private WideFormat() {
      super("Lucene99HnswVectorsFormat");
    }

    @Override
    public KnnVectorsWriter fieldsWriter(SegmentWriteState state) throws IOException {
      return format.fieldsWriter(state);
    }

    @Override
    public KnnVectorsReader fieldsReader(SegmentReadState state) throws IOException {
      return format.fieldsReader(state);
    }

    @Override
    public int getMaxDimensions(String field) {
      return SentenceVectors.DIMENSIONS;
    }
  }

  /**
   * @param effort how many candidates are kept
   */
  List<Double> find(int question, int effort) throws IOException {
    ScoreDoc[] found =
        searcher.search(
                new KnnFloatVectorQuery(FIELD, vectors.question(question), effort), NEIGHBOURS)
            .scoreDocs;
    List<Double> distances = new ArrayList<>();
    for (ScoreDoc hit : found) {
      distances.add(2 - 2.0 * hit.score); // whose score is (1 + cosine) / 2
    }
    return distances;
  }

  Supplier<CallLoad.Call> calls(int effort) {
    return () -> {
      int question = ThreadLocalRandom.current().nextInt(SentenceVectors.QUESTIONS);
      return end -> threads.execute(() -> call(question, effort, end));
    };
  }

  private void call(int question, int effort, CallLoad.End end) {
    try {
      find(question, effort);
    } catch (IOException failure) {
      end.failed(failure);
      return;
    }
    end.answered();
  }

  @Override
  public void close() throws IOException {
    threads.shutdownNow();
    reader.close();
    files.close();
    try (DirectoryStream<Path> all = Files.newDirectoryStream(directory)) {
      for (Path file : all) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }
}
