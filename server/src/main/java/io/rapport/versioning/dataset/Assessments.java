package io.rapport.versioning.dataset;

import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Ids;
import io.rapport.versioning.v1.DataQualityMetrics;
import io.rapport.versioning.v1.TrainingDataset;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;

/** Assesses datasets, and makes those ready that are good enough. */
final class Assessments {
  private final DatasetStore datasets;
  private final CountStore counts;
  private final QualityStore quality;
  private final AssessmentStore events = new AssessmentStore();
  private final TrainingRequests trainings;

  Assessments(
      DatasetStore datasets, CountStore counts, QualityStore quality, TrainingRequests trainings) {
    this.datasets = datasets;
    this.counts = counts;
    this.quality = quality;
    this.trainings = trainings;
  }

  /** What the events of a dataset, as it then was, are like. */
  record Look(Dataset dataset, DataQualityMetrics found) {}

  /** What a dataset's last events are like. */
  Look look(DSLContext tx, UUID tenant, Dataset dataset, long sample) {
    AssessmentStore.Found found = events.assess(tx, tenant, dataset, sample);
    QualityScores scores =
        QualityScores.of(
            found.records(),
            found.fields().stream().map(AssessmentStore.Field::tally).toList(),
            dataset.proto().getWeights());
    DataQualityMetrics.Builder metrics =
        DataQualityMetrics.newBuilder()
            .setTrainingDatasetId(dataset.id().toString())
            .setCompletenessScore(scores.completeness())
            .setConsistencyScore(scores.consistency())
            .setValidityScore(scores.validity())
            .setOverallScore(scores.overall())
            .setAnomalyCount(found.anomalies())
            .setDuplicateCount(found.duplicates())
            .setMissingValuesCount(found.missing())
            .setRecordCount(found.records())
            .setFieldCount(found.fields().size());
    found.fields().forEach(field -> metrics.addFields(field.quality()));
    return new Look(dataset, metrics.build());
  }

  /**
   * Keeps what was found. The dataset is ready from now on if the threshold is reached and the
   * quality good enough, and else it isn't; if it becomes ready, a training is asked for.
   *
   * @return empty, with nothing kept, if the dataset was changed since, so that this says nothing
   *     of it
   */
  Optional<DataQualityMetrics> keep(
      DSLContext tx, UUID tenant, Look look, Consumer<Change> changes) {
    UUID id = look.dataset().id();
    datasets.shareTurn(tx, tenant);
    datasets.lockHead(tx, tenant);
    Dataset dataset = datasets.require(tx, tenant, id);
    if (!dataset.looksLike(look.dataset())) {
      return Optional.empty();
    }
    TrainingDataset now = dataset.proto();
    double score = look.found().getOverallScore();
    boolean ready = now.getThresholdReached() && score >= now.getQualityBound();
    counts.assessed(tx, tenant, id, new CountStore.Verdict(score, ready));
    DataQualityMetrics kept = quality.insert(tx, tenant, Ids.next(), look.found());
    changes.accept(
        new Change(QualityStore.KIND, Op.CREATED, UUID.fromString(kept.getId()), null, 1));
    changes.accept(new Change(DatasetStore.KIND, Op.UPDATED, id, null, dataset.revision() + 1));
    if (ready && !now.getIsReadyForTraining()) {
      trainings.ready(
          tx,
          new TrainingRequests.Ready(tenant, id, dataset.type(), now.getDataCount(), score),
          changes);
    }
    return Optional.of(kept);
  }
}
