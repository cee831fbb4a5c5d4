package io.rapport.client;

import io.rapport.versioning.v1.ClaimTrainingRequest;
import io.rapport.versioning.v1.ClaimTrainingResponse;
import io.rapport.versioning.v1.CompleteTrainingRequest;
import io.rapport.versioning.v1.CompleteTrainingResponse;
import io.rapport.versioning.v1.FailTrainingRequest;
import io.rapport.versioning.v1.ReportProgressRequest;
import io.rapport.versioning.v1.ReportProgressResponse;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingServiceGrpc;
import java.time.Duration;

/** What workers call. */
final class TrainingCalls {
  private final Calls calls;
  private final Rpc<ClaimTrainingRequest, ClaimTrainingResponse> claim;
  private final Rpc<ReportProgressRequest, ReportProgressResponse> report;
  private final Rpc<CompleteTrainingRequest, CompleteTrainingResponse> complete;
  private final Rpc<FailTrainingRequest, TrainingEvent> fail;

  TrainingCalls(Calls calls) {
    this.calls = calls;
    this.claim = calls.rpc(TrainingServiceGrpc.getClaimTrainingMethod());
    this.report = calls.rpc(TrainingServiceGrpc.getReportProgressMethod());
    this.complete = calls.rpc(TrainingServiceGrpc.getCompleteTrainingMethod());
    this.fail = calls.rpc(TrainingServiceGrpc.getFailTrainingMethod());
  }

  ClaimTrainingResponse claim(ClaimTrainingRequest request, Duration within) {
    return calls.call(claim.within(within), request);
  }

  ReportProgressResponse report(ReportProgressRequest request) {
    return calls.call(report, request);
  }

  CompleteTrainingResponse complete(CompleteTrainingRequest request) {
    return calls.call(complete, request);
  }

  TrainingEvent fail(FailTrainingRequest request) {
    return calls.call(fail, request);
  }
}
