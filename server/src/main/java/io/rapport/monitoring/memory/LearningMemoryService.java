package io.rapport.monitoring.memory;

import com.google.protobuf.Struct;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.rapport.monitoring.v1.FindSimilarLearningEntriesRequest;
import io.rapport.monitoring.v1.FindSimilarLearningEntriesResponse;
import io.rapport.monitoring.v1.GetLearningEntryRequest;
import io.rapport.monitoring.v1.GetLearningStatisticsRequest;
import io.rapport.monitoring.v1.GiveLearningFeedbackRequest;
import io.rapport.monitoring.v1.LearningEntry;
import io.rapport.monitoring.v1.LearningEntry.Feedback;
import io.rapport.monitoring.v1.LearningMemoryServiceGrpc;
import io.rapport.monitoring.v1.LearningStatistics;
import io.rapport.monitoring.v1.ListLearningEntriesRequest;
import io.rapport.monitoring.v1.ListLearningEntriesResponse;
import io.rapport.monitoring.v1.RecordLearningEntryRequest;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Ids;
import io.rapport.platform.PageTokens;
import io.rapport.platform.RowPage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.platform.Transaction;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.json.ByteWriter;
import io.rapport.platform.json.Json;
import io.rapport.platform.json.JsonWriter;
import io.rapport.platform.v1.ErrorReason;
import java.nio.charset.StandardCharsets;
import java.util.UUID;

/** The RPCs of learning memories. */
final class LearningMemoryService {
  private static final int DEFAULT_LIMIT = 5;
  private static final double SURE_ENOUGH = 0.7;
  private static final int DEFAULT_DAYS = 30;
  private static final int MAX_CONTEXT_BYTES = 65_536;
  private static final int TYPICAL_SIZE = 512;

  private final TenantDb db;
  private final UnitOfWork work;
  private final int most;
  private final MemoryStore memory = new MemoryStore();
  private final StatisticsStore statistics = new StatisticsStore();
  private final SimilarEntries similar;

  /**
   * @param most how many entries a tenant may have
   */
  LearningMemoryService(TenantDb db, UnitOfWork work, int most, SimilarTexts texts) {
    this.db = db;
    this.work = work;
    this.most = most;
    this.similar = new SimilarEntries(db, memory, texts);
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(LearningMemoryServiceGrpc.getServiceDescriptor())
        .unary(LearningMemoryServiceGrpc.getGetLearningEntryMethod(), this::getLearningEntry)
        .unary(LearningMemoryServiceGrpc.getListLearningEntriesMethod(), this::listLearningEntries)
        .unary(
            LearningMemoryServiceGrpc.getFindSimilarLearningEntriesMethod(),
            this::findSimilarLearningEntries)
        .unary(
            LearningMemoryServiceGrpc.getGetLearningStatisticsMethod(), this::getLearningStatistics)
        .unary(LearningMemoryServiceGrpc.getRecordLearningEntryMethod(), this::recordLearningEntry)
        .unary(
            LearningMemoryServiceGrpc.getGiveLearningFeedbackMethod(), this::giveLearningFeedback)
        .build();
  }

  private LearningEntry getLearningEntry(GetLearningEntryRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return db.read(tenant, dsl -> memory.find(dsl, tenant, UUID.fromString(request.getId())))
        .orElseThrow(() -> ServiceException.notFound("learning_entry", request.getId()));
  }

  private ListLearningEntriesResponse listLearningEntries(ListLearningEntriesRequest request) {
    Caller.Tenant tenant = Caller.currentTenant();
    ListLearningEntriesRequest arguments =
        request.toBuilder().clearPageSize().clearPageToken().build();
    int size = PageTokens.size(request.getPageSize());
    TimePlace after =
        PageTokens.decode(tenant, arguments, request.getPageToken())
            .map(TimePlace::ofCursor)
            .orElse(null);
    RowPage<LearningEntry> page =
        db.write(tenant.id(), tx -> memory.list(tx, tenant.id(), request, after, size));
    ListLearningEntriesResponse.Builder response =
        ListLearningEntriesResponse.newBuilder().addAllEntries(page.rows());
    if (page.more()) {
      LearningEntry last = page.rows().getLast();
      TimePlace place =
          new TimePlace(Times.instant(last.getCreatedAt()), UUID.fromString(last.getId()));
      response.setNextPageToken(PageTokens.encode(tenant, arguments, place.toCursor()));
    }
    return response.build();
  }

  private FindSimilarLearningEntriesResponse findSimilarLearningEntries(
      FindSimilarLearningEntriesRequest request) {
    UUID tenant = Caller.currentTenant().id();
    double confidence = request.hasMinConfidence() ? request.getMinConfidence() : SURE_ENOUGH;
    int limit = request.getLimit() == 0 ? DEFAULT_LIMIT : request.getLimit();
    return similar.find(tenant, request.getText(), request.getErrorType(), confidence, limit);
  }

  private LearningStatistics getLearningStatistics(GetLearningStatisticsRequest request) {
    UUID tenant = Caller.currentTenant().id();
    int days = request.getDays() == 0 ? DEFAULT_DAYS : request.getDays();
    return db.read(tenant, dsl -> statistics.read(dsl, tenant, days));
  }

  private LearningEntry recordLearningEntry(RecordLearningEntryRequest request) {
    LearningEntry entry = request.getEntry();
    String context = entry.hasLearningContext() ? json(entry.getLearningContext()) : null;
    return work.write(
        request,
        LearningEntry.parser(),
        tx -> {
          UUID id = entry.getId().isEmpty() ? Ids.next() : UUID.fromString(entry.getId());
          MemoryStore.Kept kept =
              memory
                  .insert(tx.dsl(), tx.tenant(), id, entry, context)
                  .orElseThrow(() -> exists(id));
          tx.changed(change(Op.CREATED, id, kept.revision()));
          for (MemoryStore.Gone gone : memory.trim(tx.dsl(), tx.tenant(), id, most)) {
            tx.changed(change(Op.DELETED, gone.id(), gone.revision()));
          }
          return kept.entry();
        });
  }

  private static ServiceException exists(UUID id) {
    return ServiceException.of(
            Code.ALREADY_EXISTS,
            ErrorReason.RESOURCE_EXISTS,
            "an entry with this id is recorded already")
        .with("id", id.toString());
  }

  private static Change change(Op op, UUID id, long revision) {
    return new Change(MemoryStore.KIND, op, id, null, revision);
  }

  private static String json(Struct context) {
    ByteWriter out = new ByteWriter(TYPICAL_SIZE);
    JsonWriter.write(Json.parse(context, "entry.learning_context"), out);
    if (out.size() > MAX_CONTEXT_BYTES) {
      throw ServiceException.invalid(
          "entry.learning_context",
          ErrorReason.INVALID_FIELD,
          "must have at most 65536 bytes as JSON");
    }
    return new String(out.array(), 0, out.size(), StandardCharsets.UTF_8);
  }

  private LearningEntry giveLearningFeedback(GiveLearningFeedbackRequest request) {
    return work.write(request, LearningEntry.parser(), tx -> giveFeedback(tx, request));
  }

  private LearningEntry giveFeedback(Transaction tx, GiveLearningFeedbackRequest request) {
    UUID id = UUID.fromString(request.getId());
    LearningEntry entry =
        memory
            .lock(tx.dsl(), tx.tenant(), id)
            .orElseThrow(() -> ServiceException.notFound("learning_entry", request.getId()));
    MemoryStore.Kept kept =
        memory.giveFeedback(
            tx.dsl(),
            tx.tenant(),
            id,
            request.getFeedback(),
            moved(entry.getConfidence(), request.getFeedback()),
            request.getCorrection());
    tx.changed(change(Op.UPDATED, id, kept.revision()));
    return kept.entry();
  }

  /** The confidence after users said something. */
  private static double moved(double confidence, Feedback feedback) {
    return switch (feedback) {
      case HELPFUL -> confidence + 0.2 * (1 - confidence);
      case INCOMPLETE -> 0.8 * confidence;
      case INCORRECT -> 0.5 * confidence;
      case FEEDBACK_UNSPECIFIED, UNRECOGNIZED -> confidence;
    };
  }
}
