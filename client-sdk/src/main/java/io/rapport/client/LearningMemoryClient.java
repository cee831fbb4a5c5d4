package io.rapport.client;

import io.rapport.monitoring.v1.FindSimilarLearningEntriesRequest;
import io.rapport.monitoring.v1.FindSimilarLearningEntriesResponse;
import io.rapport.monitoring.v1.GetLearningEntryRequest;
import io.rapport.monitoring.v1.GetLearningStatisticsRequest;
import io.rapport.monitoring.v1.GiveLearningFeedbackRequest;
import io.rapport.monitoring.v1.LearningEntry;
import io.rapport.monitoring.v1.LearningMemoryServiceGrpc;
import io.rapport.monitoring.v1.LearningStatistics;
import io.rapport.monitoring.v1.ListLearningEntriesRequest;
import io.rapport.monitoring.v1.ListLearningEntriesResponse;
import io.rapport.monitoring.v1.RecordLearningEntryRequest;
import io.rapport.monitoring.v1.SimilarLearningEntry;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What assistants got wrong, and how to get it right. Every method may throw a {@link
 * RapportException}.
 */
public final class LearningMemoryClient {
  private final Calls calls;
  private final Rpc<GetLearningEntryRequest, LearningEntry> get;
  private final Rpc<ListLearningEntriesRequest, ListLearningEntriesResponse> list;
  private final Rpc<FindSimilarLearningEntriesRequest, FindSimilarLearningEntriesResponse> similar;
  private final Rpc<GetLearningStatisticsRequest, LearningStatistics> statistics;
  private final Rpc<RecordLearningEntryRequest, LearningEntry> record;
  private final Rpc<GiveLearningFeedbackRequest, LearningEntry> feedback;

  LearningMemoryClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(LearningMemoryServiceGrpc.getGetLearningEntryMethod());
    this.list = calls.rpc(LearningMemoryServiceGrpc.getListLearningEntriesMethod());
    this.similar = calls.rpc(LearningMemoryServiceGrpc.getFindSimilarLearningEntriesMethod());
    this.statistics = calls.rpc(LearningMemoryServiceGrpc.getGetLearningStatisticsMethod());
    this.record = calls.rpc(LearningMemoryServiceGrpc.getRecordLearningEntryMethod());
    this.feedback = calls.rpc(LearningMemoryServiceGrpc.getGiveLearningFeedbackMethod());
  }

  /**
   * Records an entry. If there is no room, the least confident others go.
   *
   * @throws AlreadyExistsException if one with its id is there
   */
  public LearningEntry record(LearningEntry entry) {
    return calls.call(record, RecordLearningEntryRequest.newBuilder().setEntry(entry).build());
  }

  /** The entry with this UUID; empty if there is none. */
  public Optional<LearningEntry> get(String id) {
    try {
      return Optional.of(calls.call(get, GetLearningEntryRequest.newBuilder().setId(id).build()));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /** The entries of a list, the newest first, fetched page by page as the stream is read. */
  public Stream<LearningEntry> list(ListLearningEntriesRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListLearningEntriesResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getEntriesList(), page.getNextPageToken());
        });
  }

  /** Up to 5 entries with a confidence of 0.7 or more that are most like a text. */
  public List<SimilarLearningEntry> findSimilar(String text) {
    return findSimilar(FindSimilarLearningEntriesRequest.newBuilder().setText(text).build());
  }

  /** The entries that are most like what is asked for, the most alike first. */
  public List<SimilarLearningEntry> findSimilar(FindSimilarLearningEntriesRequest request) {
    return calls.call(similar, request).getEntriesList();
  }

  /**
   * Says what users think of an entry's fix, which moves its confidence.
   *
   * @param correction how they correct it; empty: what is there stays
   * @throws NotFoundException if the entry is not there
   */
  public LearningEntry feedback(String id, LearningEntry.Feedback opinion, String correction) {
    return calls.call(
        feedback,
        GiveLearningFeedbackRequest.newBuilder()
            .setId(id)
            .setFeedback(opinion)
            .setCorrection(correction)
            .build());
  }

  /** How learning went in the last days, 1 to 365. */
  public LearningStatistics statistics(int days) {
    return calls.call(statistics, GetLearningStatisticsRequest.newBuilder().setDays(days).build());
  }
}
