package io.rapport.demo;

import io.rapport.client.DatasetRows;
import io.rapport.client.RapportClient;
import io.rapport.client.Trainer;
import io.rapport.client.TrainingJob;
import io.rapport.client.TrainingResult;
import io.rapport.demo.Histories.Case;
import io.rapport.versioning.v1.ManifestRow;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;

/** Trains with what was frozen, and measures with the last weeks of it. */
final class CommitTrainer implements Trainer {
  private static final int MEASURED_WEEKS = 26;
  private static final int TRAINED_WEEKS = 3 * 52;

  private final RapportClient client;
  private final Path directory;

  CommitTrainer(RapportClient client, Path directory) {
    this.client = client;
    this.directory = directory;
  }

  @Override
  public TrainingResult train(TrainingJob job) throws Exception {
    job.progress(0, "reading");
    String manifest =
        job.manifestId().orElseGet(() -> client.datasets().freeze(job.datasetId()).getId());
    List<Commit> commits = commits(manifest);
    Histories histories = new Histories(commits);
    long last = histories.lastWeek();
    long cut = last - MEASURED_WEEKS;
    List<Case> trained = histories.cases(Math.max(histories.firstWeek(), cut - TRAINED_WEEKS), cut);
    List<Case> measured = histories.cases(cut, last);
    job.progress(0.5, "training with " + trained.size() + " cases");
    CommitModel model = CommitModel.train(trained);
    CommitModel.Score score = model.score(measured);
    Path file = directory.resolve("model-" + job.event().getId() + ".txt");
    model.save(file);
    return TrainingResult.of(file.toString())
        .withManifest(manifest)
        .withDigest(sha256(file))
        .withScore(score.accuracy())
        .withDataSize(commits.size())
        .withMetrics(
            Map.of(
                "accuracy", score.accuracy(),
                "accuracy_of_the_more_frequent", score.alwaysTheMoreFrequent(),
                "auc", score.auc(),
                "brier", score.brier(),
                "cases", (double) score.cases()));
  }

  private List<Commit> commits(String manifest) {
    List<Commit> commits = new ArrayList<>();
    try (DatasetRows rows = client.datasets().rows(manifest)) {
      while (rows.hasNext()) {
        ManifestRow row = rows.next();
        if (row.hasPresent()) {
          commits.add(Commit.of(row.getPresent()));
        }
      }
    }
    return commits;
  }

  private static String sha256(Path file) throws IOException, NoSuchAlgorithmException {
    MessageDigest digest = MessageDigest.getInstance("SHA-256");
    return HexFormat.of().formatHex(digest.digest(Files.readAllBytes(file)));
  }
}
