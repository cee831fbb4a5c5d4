package io.rapport.versioning.model;

import static java.util.stream.Collectors.toMap;

import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.NamePage;
import io.rapport.platform.PageRoom;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Times;
import io.rapport.platform.resource.Resource;
import io.rapport.versioning.model.LearningStore.Dataset;
import io.rapport.versioning.model.LearningStore.ModelType;
import io.rapport.versioning.training.Trainings;
import io.rapport.versioning.v1.GetLearningStatusRequest;
import io.rapport.versioning.v1.GetLearningStatusResponse;
import io.rapport.versioning.v1.LearningServiceGrpc;
import io.rapport.versioning.v1.LearningStatus;
import io.rapport.versioning.v1.ModelVersion;
import io.rapport.versioning.v1.TrainingEvent;
import io.rapport.versioning.v1.TrainingTriggerInfo;
import io.rapport.versioning.v1.TrainingTriggerInfo.Obstacle;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.function.Function;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;

/** How continuous learning stands. */
final class LearningService {
  private static final int MAX_TYPES = 1000;
  private static final int MAX_QUEUE = 100;

  /** Of how many types what they have is read at a time. */
  private static final int PART = 20;

  private static final int USUAL_EVENTS = 10;

  private final TenantDb db;
  private final Trainings trainings;
  private final Resource<ModelVersion> versions;
  private final Resource<TrainingEvent> events;
  private final LearningStore store = new LearningStore();
  private final SplitStore splits = new SplitStore();

  LearningService(
      TenantDb db,
      Trainings trainings,
      Resource<ModelVersion> versions,
      Resource<TrainingEvent> events) {
    this.db = db;
    this.trainings = trainings;
    this.versions = versions;
    this.events = events;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(LearningServiceGrpc.getServiceDescriptor())
        .unary(LearningServiceGrpc.getGetLearningStatusMethod(), this::getLearningStatus)
        .build();
  }

  private GetLearningStatusResponse getLearningStatus(GetLearningStatusRequest request) {
    UUID tenant = Caller.currentTenant().id();
    NamePage<LearningStatus> page =
        new NamePage<>(
            request.toBuilder().clearPageToken().build(),
            MAX_TYPES,
            request.getPageToken(),
            LearningStatus::getModelType);
    return db.read(tenant, dsl -> status(dsl, tenant, request, page));
  }

  private GetLearningStatusResponse status(
      DSLContext dsl,
      UUID tenant,
      GetLearningStatusRequest request,
      NamePage<LearningStatus> page) {
    int lastEvents = request.getLastEvents() == 0 ? USUAL_EVENTS : request.getLastEvents();
    List<ModelType> types =
        store.types(
            dsl, tenant, request.getModelTypesList(), lastEvents, page.after(), page.limit());
    List<UUID> queue = trainings.queue(dsl, tenant, MAX_QUEUE);
    List<LearningStatus> found = statuses(dsl, tenant, types);
    return GetLearningStatusResponse.newBuilder()
        .addAllTypes(page.items(found))
        .setNextPageToken(page.nextToken(found))
        .addAllQueue(found(dsl, tenant, List.of(), queue).events(queue))
        .build();
  }

  /** How types stand: of all, or of more than a page has room for. */
  private List<LearningStatus> statuses(DSLContext dsl, UUID tenant, List<ModelType> types) {
    List<LearningStatus> statuses = new ArrayList<>();
    long bytes = 0;
    for (int from = 0; from < types.size() && bytes <= PageRoom.MAX_BYTES; from += PART) {
      List<ModelType> part = types.subList(from, Math.min(from + PART, types.size()));
      Found found = found(dsl, tenant, part, List.of());
      for (ModelType type : part) {
        LearningStatus status = status(type, found);
        bytes += status.getSerializedSize();
        statuses.add(status);
      }
    }
    return statuses;
  }

  private Found found(DSLContext dsl, UUID tenant, List<ModelType> types, List<UUID> queue) {
    List<UUID> eventIds = new ArrayList<>(queue);
    types.forEach(type -> {
      eventIds.addAll(type.events());
      if (type.open() != null) {
        eventIds.add(type.open());
      }
    });
    List<UUID> active = types.stream().map(ModelType::active).filter(Objects::nonNull).toList();
    return new Found(
        events.findAll(dsl, tenant, eventIds.stream().distinct().toList()).stream()
            .map(it -> it.toBuilder().clearPerformanceMetrics().build())
            .collect(toMap(TrainingEvent::getId, Function.identity())),
        versions.findAll(dsl, tenant, active).stream()
            .map(it -> it.toBuilder().clearPerformanceMetrics().clearModelMetadata().build())
            .collect(toMap(ModelVersion::getId, Function.identity())),
        splits.find(dsl, tenant, types.stream().map(ModelType::name).toList()));
  }

  /** What the ids stand for. */
  private record Found(
      Map<String, TrainingEvent> events,
      Map<String, ModelVersion> versions,
      Map<String, SplitStore.Split> splits) {
    List<TrainingEvent> events(List<UUID> ids) {
      return ids.stream().map(UUID::toString).filter(events::containsKey).map(events::get).toList();
    }

    @Nullable ModelVersion version(@Nullable UUID id) {
      return id == null ? null : versions.get(id.toString());
    }
  }

  private static LearningStatus status(ModelType type, Found found) {
    LearningStatus.Builder status =
        LearningStatus.newBuilder()
            .setModelType(type.name())
            .setVersionCount(type.versions())
            .setPerformanceStale(type.stale())
            .addAllLastEvents(found.events(type.events()));
    if (type.dataset() != null) {
      status.setTrigger(trigger(type.dataset(), type.open() != null));
    }
    ModelVersion active = found.version(type.active());
    if (active != null) {
      status.setActiveVersion(active);
    }
    if (type.open() != null) {
      found.events(List.of(type.open())).forEach(status::setOpenEvent);
    }
    SplitStore.Split split = found.splits().get(type.name());
    if (split != null && split.candidate() != null) {
      status.setSplit(TrafficSplits.proto(type.name(), split));
    }
    return status.build();
  }

  private static TrainingTriggerInfo trigger(Dataset dataset, boolean open) {
    Obstacle obstacle = obstacle(dataset, open);
    TrainingTriggerInfo.Builder trigger =
        TrainingTriggerInfo.newBuilder()
            .setTrainingDatasetId(dataset.id().toString())
            .setDataCount(dataset.count())
            .setThreshold(dataset.threshold())
            .setRemaining(Math.max(0, dataset.threshold() - dataset.count()))
            .setThresholdReached(dataset.reached())
            .setIsReadyForTraining(dataset.ready())
            .setNextAssessmentCount(nextAssessment(dataset))
            .setWouldTrigger(obstacle == Obstacle.OBSTACLE_UNSPECIFIED)
            .setObstacle(obstacle);
    if (dataset.quality() != null) {
      trigger.setDataQualityScore(dataset.quality());
    }
    if (dataset.lastTrainedAt() != null) {
      trigger.setLastTrainedAt(Times.proto(dataset.lastTrainedAt()));
    }
    return trigger.build();
  }

  private static long nextAssessment(Dataset dataset) {
    if (dataset.nextAssessment() != null) {
      return dataset.nextAssessment();
    }
    return dataset.due() && dataset.reached() ? dataset.count() : dataset.threshold();
  }

  private static Obstacle obstacle(Dataset dataset, boolean open) {
    if (open) {
      return Obstacle.TRAINING_OPEN;
    } else if (!dataset.reached()) {
      return Obstacle.THRESHOLD_NOT_REACHED;
    } else if (dataset.ready()) {
      return Obstacle.OBSTACLE_UNSPECIFIED;
    }
    if (dataset.due()) {
      return Obstacle.NOT_ASSESSED;
    }
    return dataset.goodEnough() ? Obstacle.TRAINING_FAILED : Obstacle.QUALITY_TOO_LOW;
  }
}
