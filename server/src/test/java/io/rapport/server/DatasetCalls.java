package io.rapport.server;

import io.grpc.Channel;
import io.rapport.server.TenantIsolationTest.Call;
import io.rapport.server.TenantIsolationTest.Names;
import io.rapport.versioning.v1.StreamManifestRowsRequest;
import io.rapport.versioning.v1.StreamManifestRowsResponse;
import io.rapport.versioning.v1.TrainingDatasetServiceGrpc;
import java.util.List;
import java.util.stream.Stream;

/** Calls of the RPCs of training datasets. A tenant's own dataset has the id of its user. */
final class DatasetCalls {
  private static final String PACKAGE = "rapport.versioning.v1.";
  private static final String OF = "training_dataset_id: '%U'";

  /** With a plus those that answer otherwise for a dataset that is there. */
  private static final List<String> LINES =
      List.of(
          "+TrainingDatasetService/GetTrainingDataset id: '%U'",
          "TrainingDatasetService/ListTrainingDatasets is_ready_for_training: true",
          "+TrainingDatasetService/CreateTrainingDataset training_dataset { id: '%U'"
              + " dataset_type: 'another' threshold: 1 } validate_only: true",
          "+TrainingDatasetService/UpdateTrainingDataset training_dataset { id: '%U'"
              + " threshold: 2 etag: '\"7\"' }",
          "+TrainingDatasetService/DeleteTrainingDataset id: '%U' etag: '\"7\"'",
          "+TrainingDatasetService/AssessDataset validate_only: true " + OF,
          "+TrainingDatasetService/FreezeDataset validate_only: true " + OF,
          "TrainingDatasetService/GetManifest id: '%U'",
          "+TrainingDatasetService/ListManifests " + OF,
          "DataQualityService/GetDataQualityMetrics id: '%U'",
          "+DataQualityService/ListDataQualityMetrics " + OF,
          "+DataQualityService/GetQualityTrend " + OF,
          "+DataQualityService/GetDrift " + OF);

  private DatasetCalls() {}

  static Stream<Call> all() {
    return Stream.concat(
        LINES.stream().map(line -> TextCalls.call(PACKAGE, line)),
        Stream.of(
            new Call(
                PACKAGE + "TrainingDatasetService/StreamManifestRows",
                DatasetCalls::stream,
                false)));
  }

  private static StreamManifestRowsResponse stream(Channel channel, Names names) {
    return TrainingDatasetServiceGrpc.newBlockingStub(channel)
        .streamManifestRows(
            StreamManifestRowsRequest.newBuilder().setManifestId(names.user()).build())
        .next();
  }
}
