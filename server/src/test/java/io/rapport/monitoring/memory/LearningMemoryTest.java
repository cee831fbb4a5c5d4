package io.rapport.monitoring.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.google.protobuf.Struct;
import com.google.protobuf.Value;
import com.google.rpc.Code;
import io.grpc.Channel;
import io.rapport.monitoring.v1.FindSimilarLearningEntriesRequest;
import io.rapport.monitoring.v1.GetLearningEntryRequest;
import io.rapport.monitoring.v1.GetLearningStatisticsRequest;
import io.rapport.monitoring.v1.GiveLearningFeedbackRequest;
import io.rapport.monitoring.v1.LearningEntry;
import io.rapport.monitoring.v1.LearningEntry.Feedback;
import io.rapport.monitoring.v1.LearningMemoryServiceGrpc;
import io.rapport.monitoring.v1.LearningMemoryServiceGrpc.LearningMemoryServiceBlockingStub;
import io.rapport.monitoring.v1.LearningStatistics;
import io.rapport.monitoring.v1.ListLearningEntriesRequest;
import io.rapport.monitoring.v1.RecordLearningEntryRequest;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import io.rapport.server.Tokens;
import io.rapport.server.Told;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Remembering what went wrong. */
class LearningMemoryTest {
  private static final double TINY = 1e-9;

  @RegisterExtension static final Rapport rapport = new Rapport();

  private static LearningMemoryServiceBlockingStub memory(Channel channel) {
    return LearningMemoryServiceGrpc.newBlockingStub(channel);
  }

  private static LearningEntry.Builder entry(String intent, double confidence) {
    return LearningEntry.newBuilder()
        .setErrorType("syntax_error")
        .setUserIntent(intent)
        .setFailedQuery("SELECT x FROM y")
        .setSpecificIssue("there is no column x")
        .setSuggestedFix("SELECT z FROM y")
        .setConfidence(confidence);
  }

  private LearningEntry record(LearningEntry.Builder entry) {
    return memory(rapport.channel())
        .recordLearningEntry(RecordLearningEntryRequest.newBuilder().setEntry(entry).build());
  }

  private LearningEntry get(String id) {
    return memory(rapport.channel())
        .getLearningEntry(GetLearningEntryRequest.newBuilder().setId(id).build());
  }

  private List<String> similar(FindSimilarLearningEntriesRequest.Builder request) {
    return memory(rapport.channel())
        .findSimilarLearningEntries(request.build())
        .getEntriesList()
        .stream()
        .map(it -> it.getEntry().getUserIntent())
        .toList();
  }

  private static FindSimilarLearningEntriesRequest.Builder like(String text) {
    return FindSimilarLearningEntriesRequest.newBuilder().setText(text);
  }

  @Test
  void keepsEveryField() {
    LearningEntry sent =
        entry("show open issues", 0.75)
            .setId(Given.id())
            .setLearningContext(
                Struct.newBuilder()
                    .putFields("dialect", Value.newBuilder().setStringValue("pg").build()))
            .setCorrectedQuery("SELECT 1")
            .setUserFeedback(Feedback.HELPFUL)
            .setUserCorrection("none")
            .setMessageId("m1")
            .setValidationType("semantic")
            .setRetryCount(2)
            .setPatternHash("abc")
            .setResolutionTimeMs(1500)
            .setValidationPassed(false)
            .build();

    record(sent.toBuilder());

    LearningEntry kept = get(sent.getId());
    assertThat(kept.hasFeedbackAt()).isTrue();
    assertThat(
            kept.toBuilder()
                .clearCreatedAt()
                .clearUpdatedAt()
                .clearFeedbackAt()
                .clearActive()
                .clearEtag()
                .build())
        .isEqualTo(sent);
    assertThat(Told.by(() -> record(sent.toBuilder())).reason()).isEqualTo("RESOURCE_EXISTS");
  }

  @Test
  void tellsNoMoreThanAnAnswerHasRoomFor() {
    for (int i = 0; i < 40; i++) {
      record(
          entry("open issues " + i, 0.9)
              .setFailedQuery("q".repeat(20_000))
              .setSuggestedFix("f".repeat(20_000)));
    }

    var answer =
        memory(rapport.channel()).findSimilarLearningEntries(like("issues").setLimit(100).build());

    assertThat(answer.getSerializedSize()).isBetween(900_000, 1_100_000);
  }

  @Test
  void ranksWhatIsMostAlikeFirst() {
    record(entry("list the issues that are overdue", 0.9));
    record(entry("show overdue issues of a team", 0.8));
    record(entry("count commits of the week", 0.9).setSpecificIssue("overdue is no column"));
    record(entry("draw a chart of revenue", 0.9));
    record(entry("overdue issues of each team", 0.6));
    record(entry("overdue issue team", 0.95).setErrorType("logic_error"));

    assertThat(similar(like("which teams have overdue issues?")))
        .containsExactly(
            "overdue issue team",
            "show overdue issues of a team",
            "list the issues that are overdue",
            "count commits of the week");
    assertThat(similar(like("overdue issues team").setErrorType("logic_error")))
        .containsExactly("overdue issue team");
    assertThat(similar(like("overdue issues team").setMinConfidence(0.5))).hasSize(5);
    assertThat(similar(like("overdue issues team").setLimit(1))).hasSize(1);
    assertThat(similar(like("the of and"))).isEmpty();
    assertThat(similar(like("'):*&!| <-> \\"))).isEmpty();
    assertThat(similar(like("overdue: it's at https://a.example/b?c=1&d='2\\'"))).isNotEmpty();
  }

  @Test
  void findsNothingOfAnotherTenant() {
    record(entry("a secret intent", 0.9));
    Channel other = rapport.channel(rapport.tokens().of(rapport.newTenant(), Tokens.ALL_RIGHTS));

    assertThat(
            memory(other)
                .findSimilarLearningEntries(like("a secret intent").build())
                .getEntriesList())
        .isEmpty();
    assertThat(similar(like("a secret intent"))).hasSize(1);
  }

  @Test
  void movesTheConfidenceByFeedback() {
    LearningEntry recorded = record(entry("x", 0.5));

    LearningEntry helped = feedback(recorded, Feedback.HELPFUL, "");
    LearningEntry incomplete = feedback(recorded, Feedback.INCOMPLETE, "also y");
    LearningEntry wrong = feedback(recorded, Feedback.INCORRECT, "");

    assertThat(helped.getConfidence()).isCloseTo(0.6, within(TINY));
    assertThat(incomplete.getConfidence()).isCloseTo(0.48, within(TINY));
    assertThat(wrong.getConfidence()).isCloseTo(0.24, within(TINY));
    assertThat(wrong.getUserFeedback()).isEqualTo(Feedback.INCORRECT);
    assertThat(wrong.getUserCorrection()).isEqualTo("also y");
    assertThat(wrong.hasFeedbackAt()).isTrue();
  }

  private LearningEntry feedback(LearningEntry of, Feedback feedback, String correction) {
    return memory(rapport.channel())
        .giveLearningFeedback(
            GiveLearningFeedbackRequest.newBuilder()
                .setId(of.getId())
                .setFeedback(feedback)
                .setCorrection(correction)
                .build());
  }

  @Test
  void tellsHowLearningGoes() {
    record(entry("a", 0.9).setValidationPassed(true).setResolutionTimeMs(100));
    record(entry("b", 0.8).setValidationPassed(false).setResolutionTimeMs(300));
    record(entry("c", 0.1).setErrorType("logic_error").setUserFeedback(Feedback.INCORRECT));
    LearningEntry old = record(entry("d", 0.95));
    rapport
        .sql()
        .execute(
            "UPDATE monitoring.ai_learning_memory SET created_at = now() - interval '31 days'"
                + " WHERE id = ?::uuid",
            old.getId());

    LearningStatistics month = statistics(0);

    assertThat(month.getDays()).isEqualTo(30);
    assertThat(month.getEntries()).isEqualTo(3);
    assertThat(month.getSuccessRate()).isCloseTo(1 / 3.0, within(TINY));
    assertThat(month.getMeanConfidence()).isCloseTo(0.6, within(TINY));
    assertThat(month.getFeedbackMap()).isEqualTo(Map.of("INCORRECT", 1L));
    assertThat(month.getValidationsPassed()).isOne();
    assertThat(month.getValidations()).isEqualTo(2);
    assertThat(month.getMeanResolutionTimeMs()).isEqualTo(200);
    assertThat(month.getErrorTypes(0).getErrorType()).isEqualTo("syntax_error");
    assertThat(month.getErrorTypes(0).getSuccessRate()).isEqualTo(0.5);
    assertThat(statistics(365).getEntries()).isEqualTo(4);
    assertThat(Told.by(() -> statistics(366)).fields()).containsExactly("days");
  }

  private LearningStatistics statistics(int days) {
    return memory(rapport.channel())
        .getLearningStatistics(GetLearningStatisticsRequest.newBuilder().setDays(days).build());
  }

  @Test
  void letsTheLeastConfidentGoWhenThereIsNoRoom() {
    try (RapportServer small = rapport.serve(Map.of("RAPPORT_LEARNING_ENTRIES_PER_TENANT", "3"))) {
      Channel channel = rapport.clientOf(small).channel();
      for (double confidence : new double[] {0.5, 0.3, 0.9, 0.8, 0.1}) {
        var _ =
            memory(channel)
                .recordLearningEntry(
                    RecordLearningEntryRequest.newBuilder()
                        .setEntry(entry("c" + confidence, confidence))
                        .build());
      }
    }

    assertThat(
            memory(rapport.channel())
                .listLearningEntries(ListLearningEntriesRequest.getDefaultInstance())
                .getEntriesList())
        .extracting(LearningEntry::getUserIntent)
        .containsExactly("c0.1", "c0.8", "c0.9");
  }

  @Test
  void refusesWhatBreaksARule() {
    assertThat(Told.by(() -> record(entry("", 0.5))).fields()).containsExactly("entry.user_intent");
    assertThat(Told.by(() -> record(entry("x", 1.5))).fields()).containsExactly("entry.confidence");
    assertThat(Told.by(() -> record(entry("x", Double.NaN))).fields())
        .containsExactly("entry.confidence");
    assertThat(Told.by(() -> record(entry("a\0b", 0.5))).reason()).isEqualTo("TEXT_NUL");
    assertThat(
            Told.by(() -> feedback(entry("x", 1).setId(Given.id()).build(), Feedback.HELPFUL, ""))
                .code())
        .isEqualTo(Code.NOT_FOUND);
    assertThat(Told.by(() -> get(Given.id())).code()).isEqualTo(Code.NOT_FOUND);
  }
}
