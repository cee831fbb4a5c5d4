package io.rapport.faults;

import static java.util.stream.Collectors.groupingBy;
import static java.util.stream.Collectors.mapping;
import static java.util.stream.Collectors.toList;

import com.google.api.FieldBehavior;
import com.google.api.FieldBehaviorProto;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.TextFormat;
import com.google.protobuf.TextFormat.ParseException;
import io.rapport.platform.v1.Resource;
import io.rapport.platform.v1.ResourceProto;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * Requests for every RPC of the contract that name one thing of each kind. Those of entities that
 * are only data follow from their descriptors; the others are listed.
 */
final class Requests {
  /** A request as text, in which names are still to be filled in. */
  record Line(String rpc, String request) {
    private static Line of(String line) {
      String[] parts = line.split(" ", 2);
      return new Line(parts[0], parts.length == 1 ? "" : parts[1]);
    }
  }

  /** How a tenant comes to have what can't be made by a Create. */
  private static final String MAKING =
      """
      UserService/CreateUser user { id: "%User%" email: "%tag%@example.org" last_name: "%tag%" }
      UserService/LinkIdentity user_id: "%User%" identity { provider: "faults" subject: "%tag%" }
      UserService/SetPassword user_id: "%User%" password: "Analytical1"
      EventPropertyService/DeclareProperty name: "%tag%" type: STRING
      EventService/TrackEvent event { id: "%event%" event_type: "fault" identity { provider: "faults" subject: "%tag%" } data_json: '{"%tag%":"v"}' }
      EventService/TrackEvent event { event_type: "fault" identity { provider: "faults" subject: "%tag%2" } }
      UserService/LinkIdentity user_id: "%User%" identity { provider: "faults" subject: "%tag%2" }
      EventContractService/PutContract contract { event_type: "%tag%" mode: QUARANTINE fields { path: "a" required: true } } activate: true
      EventService/TrackEvent event { id: "%held%" event_type: "%tag%" identity { provider: "faults" subject: "%tag%" } }
      EventContractService/UpdateTrackingSettings settings { unknown_types: ACCEPT }
      PredictionCacheService/PutPrediction prediction { key { user_id: "%User%" type: GOAL name: "%tag%" } value { opaque { data: "%tag%" media_type: "text/plain" } } }
      AnalysisCacheService/PutAnalysis analysis { key { user_id: "%User%" type: "%tag%" project_id: "%tag%" } value { opaque { data: "%tag%" media_type: "text/plain" } } }
      TrainingDatasetService/CreateTrainingDataset training_dataset { id: "%dataset%" dataset_type: "%tag%" threshold: 1 sources { event_type: "fault" } }
      TrainingDatasetService/AssessDataset training_dataset_id: "%dataset%"
      TrainingDatasetService/FreezeDataset training_dataset_id: "%dataset%"
      ModelVersionService/RegisterModelVersion model_type: "%tag%" model_path: "%tag%"
      ModelPerformanceService/RecordModelPerformance records { model_name: "%tag%" accuracy_metric: 1 }
      PredictionLogService/LogPrediction prediction { id: "%event%" model_name: "%tag%" user_id: "%User%" }
      AnomalyAlertService/CreateAnomalyAlert alert { model_name: "%tag%" fingerprint: "%tag%" severity: HIGH }
      LearningMemoryService/RecordLearningEntry entry { id: "%event%" error_type: "%tag%" user_intent: "%tag%" failed_query: "a" specific_issue: "b" suggested_fix: "c" confidence: 0.9 }
      EmbeddingModelService/StartEmbeddingModel kind: "identity.user" model: "%tag%" dimensions: 1
      """;

  private static final Map<String, List<String>> LISTED =
      byRpc(
          """
          TenantService/GetTenant id: "%tenant%"
          TenantService/ListTenants page_size: 1
          TenantService/UpdateTenant tenant { id: "%tenant%" display_name: "%tag%" etag: "1" }
          SearchAuditService/GetRecall
          SearchAuditService/ListRecallAudits
          SearchAuditService/ListAllRecallAudits page_size: 1
          SearchAuditService/GetSearchIndexes
          TenantService/CreateTenant tenant { id: "%tenant%" display_name: "%tag%" }
          UserService/GetUser id: "%User%"
          UserService/GetUser email: "%tag%@example.org"
          UserService/GetUser identity { provider: "faults" subject: "%tag%" }
          UserService/ListUsers filter { email { prefix: "%tag%" } }
          UserService/ListUsers filter { id { values: "%User%" } }
          UserService/LinkIdentity user_id: "%User%" identity { provider: "faults" subject: "new" }
          UserService/SetPassword user_id: "%User%" password: "Analytical2"
          UserService/VerifyPassword user_id: "%User%" password: "Analytical1"
          UserService/VerifyPassword email: "%tag%@example.org" password: "Analytical1"
          UserPermissionService/ListUserPermissions filter { user_id { values: "%User%" } }
          UserPermissionService/CheckPermission user_id: "%User%" resource: "%tag%" action: "%tag%"
          UserPermissionService/ListEffectivePermissions user_id: "%User%"
          IdentityLinkService/GetIdentityLink natural_key { provider: "faults" subject: "%tag%" }
          IdentityLinkService/GetIdentityLink id: "%IdentityLink%"
          SystemSettingService/GetSystemSetting setting_key: "%tag%"
          SystemSettingService/GetSystemSetting id: "%SystemSetting%"
          SignInService/SignIn user_id: "%User%"
          SignInService/CheckSignIn token: "%token%"
          SignInService/SignOut id: "%SignIn%"
          SignInService/SignOut token: "%token%"
          SignInService/SignOutAll user_id: "%User%"
          ChangeService/Watch filter { kinds: ["event", "identity.user"] user_ids: "%User%" } initial_state: true
          ChangeService/Watch filter { key { kind: "identity.user" id: "%User%" } } initial_state: true
          EventPropertyService/GetProperty name: "%tag%"
          EventPropertyService/ListProperties page_size: 100
          EventPropertyService/DeclareProperty name: "%tag%" type: NUMBER
          QuarantineService/GetQuarantinedEvent id: "%held%"
          QuarantineService/ListQuarantinedEvents event_type: "%tag%"
          QuarantineService/ReleaseQuarantinedEvents releases { event_id: "%held%" }
          QuarantineService/DiscardQuarantinedEvents ids: "%held%"
          EventService/GetEvent id: "%event%"
          EventService/ListEvents filter { user_id: "%User%" }
          EventService/ListEvents filter { identity { provider: "faults" subject: "%tag%" } }
          EventService/ListEvents filter { properties { name: "%tag%" strings { values: "v" } } }
          EventService/CountEvents filter { user_id: "%User%" }
          EventService/CountEvents group_by { property: "%tag%" }
          EventService/TrackEvent event { id: "%event%" user_id: "%User%" event_type: "fault" }
          EventService/BatchTrackEvents events { id: "%event%" user_id: "%User%" event_type: "fault" }
          EventService/IngestEvents events { id: "%event%" user_id: "%User%" event_type: "fault" }
          EventService/WatchEvents filter { user_ids: "%User%" } initial_state: true
          EventContractService/GetContract event_type: "%tag%"
          EventContractService/ListContracts event_type: "%tag%"
          EventContractService/PutContract contract { event_type: "%tag%" mode: STAMP }
          EventContractService/ActivateContract event_type: "%tag%" version: 1
          EventContractService/DeactivateContract event_type: "%tag%"
          EventContractService/CheckContract stored { event_type: "%tag%" }
          EventContractService/GetTrackingSettings
          EventContractService/UpdateTrackingSettings settings { unknown_types: ACCEPT }
          PredictionCacheService/GetPrediction key { user_id: "%User%" type: GOAL name: "%tag%" }
          PredictionCacheService/BatchGetPredictions keys { user_id: "%User%" type: GOAL name: "%tag%" }
          PredictionCacheService/ListPredictions user_id: "%User%"
          PredictionCacheService/GetOrLeasePrediction key { user_id: "%User%" type: GOAL name: "%tag%" }
          PredictionCacheService/PutPrediction prediction { key { user_id: "%User%" type: GOAL name: "%tag%" } value { opaque { data: "%tag%" media_type: "text/plain" } } }
          PredictionCacheService/BatchPutPredictions puts { prediction { key { user_id: "%User%" type: GOAL name: "%tag%" } value { opaque { data: "%tag%" media_type: "text/plain" } } } }
          AnalysisCacheService/GetAnalysis key { user_id: "%User%" type: "%tag%" project_id: "%tag%" }
          AnalysisCacheService/BatchGetAnalyses keys { user_id: "%User%" type: "%tag%" project_id: "%tag%" }
          AnalysisCacheService/ListAnalyses user_id: "%User%"
          AnalysisCacheService/FindSimilarAnalysis user_id: "%User%" project_id: "%tag%" type: "%tag%" question { embedding: 1 embedding_model: "%tag%" }
          AnalysisCacheService/GetOrLeaseAnalysis key { user_id: "%User%" type: "%tag%" project_id: "%tag%" }
          AnalysisCacheService/PutAnalysis analysis { key { user_id: "%User%" type: "%tag%" project_id: "%tag%" } value { opaque { data: "%tag%" media_type: "text/plain" } } }
          AnalysisCacheService/BatchPutAnalyses puts { analysis { key { user_id: "%User%" type: "%tag%" project_id: "%tag%" } value { opaque { data: "%tag%" media_type: "text/plain" } } } }
          CacheService/ExplainEntry key { prediction { user_id: "%User%" type: GOAL name: "%tag%" } }
          CacheService/GetCacheStats
          CacheService/TouchEntry key { prediction { user_id: "%User%" type: GOAL name: "%tag%" } }
          CacheService/InvalidateEntries keys { keys { prediction { user_id: "%User%" type: GOAL name: "%tag%" } } }
          CacheService/InvalidateEntries user_id: "%User%"
          CacheService/WarmEntries keys { prediction { user_id: "%User%" type: GOAL name: "%tag%" } }
          CacheService/ClaimWarmups limit: 1
          CacheService/RenewLease key { prediction { user_id: "%User%" type: GOAL name: "%tag%" } } lease_id: "%event%"
          TrainingDatasetService/GetTrainingDataset id: "%dataset%"
          TrainingDatasetService/GetTrainingDataset dataset_type: "%tag%"
          TrainingDatasetService/ListTrainingDatasets page_size: 100
          TrainingDatasetService/CreateTrainingDataset training_dataset { dataset_type: "%tag%" threshold: 1 }
          TrainingDatasetService/UpdateTrainingDataset training_dataset { id: "%dataset%" threshold: 2 etag: "1" }
          TrainingDatasetService/DeleteTrainingDataset id: "%dataset%"
          TrainingDatasetService/AssessDataset training_dataset_id: "%dataset%"
          TrainingDatasetService/FreezeDataset training_dataset_id: "%dataset%"
          TrainingDatasetService/GetManifest id: "%dataset%"
          TrainingDatasetService/ListManifests training_dataset_id: "%dataset%"
          TrainingDatasetService/StreamManifestRows manifest_id: "%dataset%"
          DataQualityService/GetDataQualityMetrics id: "%dataset%"
          DataQualityService/ListDataQualityMetrics training_dataset_id: "%dataset%"
          DataQualityService/GetQualityTrend training_dataset_id: "%dataset%"
          DataQualityService/GetDrift training_dataset_id: "%dataset%"
          TrainingService/TriggerTraining model_type: "goal"
          TrainingService/ClaimTraining model_types: "%tag%" worker: "%tag%"
          TrainingService/ReportProgress training_event_id: "%event%" lease_id: "%event%"
          TrainingService/CompleteTraining training_event_id: "%event%" lease_id: "%event%" model_path: "%tag%"
          TrainingService/FailTraining training_event_id: "%event%" lease_id: "%event%" failure: "%tag%"
          TrainingService/CancelTraining training_event_id: "%event%"
          TrainingService/ApproveDeployment training_event_id: "%event%"
          ModelVersionService/RegisterModelVersion model_type: "%tag%" model_path: "%tag%"
          ModelVersionService/PromoteModelVersion model_version_id: "%event%"
          ModelVersionService/RollbackModelVersion model_type: "%tag%" reason: "%tag%"
          ModelVersionService/GetActiveModelVersion model_type: "%tag%"
          ModelVersionService/CompareModelVersions model_version_ids: ["%event%", "%held%"]
          ModelVersionService/GetTrafficSplit model_type: "%tag%"
          ModelVersionService/SetTrafficSplit model_type: "%tag%" percent: 1 candidate_version_id: "%event%"
          ModelVersionService/ResolveModelVersion model_type: "%tag%" user_id: "%User%"
          PromotionPolicyService/ListPromotionPolicies page_size: 100
          ModelPerformanceService/RecordModelPerformance records { model_name: "%tag%" accuracy_metric: 1 }
          ModelPerformanceService/GetPerformanceSeries model_name: "%tag%"
          LearningService/GetLearningStatus model_types: "%tag%"
          PredictionLogService/GetLoggedPrediction id: "%event%"
          PredictionLogService/ListLoggedPredictions filter { user_id: "%User%" }
          PredictionLogService/ListLoggedPredictions filter { model_name: "%tag%" }
          PredictionLogService/GetPerformanceFigures model_name: "%tag%"
          PredictionLogService/LogPrediction prediction { id: "%event%" model_name: "%tag%" user_id: "%User%" }
          PredictionLogService/BatchLogPredictions predictions { id: "%event%" model_name: "%tag%" user_id: "%User%" }
          PredictionLogService/StreamPredictions predictions { id: "%event%" model_name: "%tag%" user_id: "%User%" }
          PredictionLogService/RecordOutcomes reports { prediction_id: "%event%" outcome { actual_value: 1 } }
          AnomalyAlertService/GetAnomalyAlert id: "%event%"
          AnomalyAlertService/ListAnomalyAlerts filter { model_name: "%tag%" }
          AnomalyAlertService/CreateAnomalyAlert alert { model_name: "%tag%" fingerprint: "%tag%" severity: HIGH }
          AnomalyAlertService/AcknowledgeAnomalyAlert id: "%event%"
          AnomalyAlertService/ResolveAnomalyAlert id: "%event%"
          AnomalyAlertService/DetectAnomalies model_name: "%tag%"
          LearningMemoryService/GetLearningEntry id: "%event%"
          LearningMemoryService/ListLearningEntries error_type: "%tag%"
          LearningMemoryService/FindSimilarLearningEntries text: "%tag%"
          LearningMemoryService/GetLearningStatistics
          LearningMemoryService/RecordLearningEntry entry { id: "%event%" error_type: "%tag%" user_intent: "%tag%" failed_query: "a" specific_issue: "b" suggested_fix: "c" confidence: 0.9 }
          LearningMemoryService/GiveLearningFeedback id: "%event%" feedback: HELPFUL
          DoraMarketBenchmarkService/GetDoraMarketBenchmark id: "%event%"
          DoraMarketBenchmarkService/ListDoraMarketBenchmarks metric_name: "%tag%"
          DoraMarketBenchmarkService/UpsertDoraMarketBenchmark dora_market_benchmark { report_year: 2024 performance_tier: ELITE metric_name: "%tag%" metric_value: "1" }
          DoraMarketBenchmarkService/BatchUpsertDoraMarketBenchmarks dora_market_benchmarks { report_year: 2024 performance_tier: ELITE metric_name: "%tag%" metric_value: "1" }
          DoraMarketBenchmarkService/DeleteDoraMarketBenchmark id: "%event%"
          DoraService/GetLeadTime filter { teams: "%tag%" }
          DoraService/GetLeadTimeForecast filter { teams: "%tag%" }
          DoraMetricInsightService/GetDoraMetricInsight id: "%event%"
          DoraMetricInsightService/ListDoraMetricInsights metric_name: "%tag%"
          DoraMetricInsightService/UpsertDoraMetricInsight dora_metric_insight { report_year: 2024 metric_name: "%tag%" insight_text: "a" }
          DoraMetricInsightService/BatchUpsertDoraMetricInsights dora_metric_insights { report_year: 2024 metric_name: "%tag%" insight_text: "a" }
          DoraMetricInsightService/DeleteDoraMetricInsight id: "%event%"
          EmbeddingService/GetEmbeddings kind: "identity.user" ids: "%User%"
          EmbeddingService/ListStaleEmbeddings kind: "identity.user"
          EmbeddingService/PutEmbeddings kind: "identity.user" model: "%tag%" embeddings { id: "%User%" content_hash: "01234567890123456789012345678901" vector: 1 }
          EmbeddingService/IngestEmbeddings kind: "identity.user" model: "%tag%" embeddings { id: "%User%" content_hash: "01234567890123456789012345678901" vector: 1 }
          EmbeddingService/ClaimStaleEmbeddings kind: "identity.user" max_texts: 1 lease_time { seconds: 1 }
          EmbeddingService/RenewEmbeddingClaim kind: "identity.user" lease_id: "%event%"
          EmbeddingService/ReleaseEmbeddingClaim kind: "identity.user" lease_id: "%event%"
          EmbeddingService/ReportEmbeddingFailures kind: "identity.user" lease_id: "%event%" failures { id: "%User%" reason: "%tag%" }
          EmbeddingService/RetryFailedEmbeddings kind: "identity.user"
          EmbeddingModelService/ListEmbeddingModels kind: "identity.user"
          EmbeddingModelService/GetEmbeddingCoverage kinds: "identity.user"
          EmbeddingModelService/ListEmbeddedKinds
          EmbeddingModelService/StartEmbeddingModel kind: "identity.user" model: "%tag%" dimensions: 1
          EmbeddingModelService/SwitchEmbeddingModel kind: "identity.user" model: "%tag%"
          EmbeddingModelService/RetireEmbeddingModel kind: "identity.user" model: "%tag%"
          CacheService/ReleaseLease key { prediction { user_id: "%User%" type: GOAL name: "%tag%" } } lease_id: "%event%"
          SearchService/Search words { words: "%tag%" } include_text: true
          SearchService/Search stored { kind: "identity.user" id: "%User%" }
          SearchService/BatchSearch searches { words { words: "%tag%" } include_entities: true }
          SearchService/CountMatches words: "%tag%"
          """);

  /** Entities whose fields don't tell all that they need. */
  private static final Map<String, String> ENTITIES =
      Map.of(
          "CacheLifetime",
              "id: \"%CacheLifetime%\" cache: ANALYSIS entry_type: \"%tag%\" lifetime_seconds: 60",
          "PromotionPolicy", "id: \"%PromotionPolicy%\" model_type: \"%tag%\"",
          "User", "id: \"%User%\" email: \"%tag%@example.org\"",
          "SystemSetting", "id: \"%SystemSetting%\" setting_key: \"%tag%\" setting_value: \"1\"");

  private Requests() {}

  private static Map<String, List<String>> byRpc(String lines) {
    return lines
        .lines()
        .map(Line::of)
        .collect(groupingBy(Line::rpc, mapping(Line::request, toList())));
  }

  /** What a tenant does to have one thing of each kind, in this order. */
  static List<Line> making() {
    List<Line> making = new ArrayList<>(MAKING.lines().map(Line::of).toList());
    List<AnyRpc> rpcs = new ArrayList<>(AnyRpc.all());
    Parents parents = new Parents(rpcs.stream().map(Requests::entity).flatMap(Optional::stream));
    rpcs.sort(Comparator.comparing(rpc -> entity(rpc).map(parents::above).orElse(0)));
    for (AnyRpc rpc : rpcs) {
      boolean made = making.stream().anyMatch(line -> line.rpc().equals(rpc.name()));
      if (!made
          && !LISTED.containsKey(rpc.name())
          && rpc.descriptor().getName().startsWith("Create")) {
        of(rpc).forEach(request -> making.add(new Line(rpc.name(), request)));
      }
    }
    return making;
  }

  /** The kinds of entities that are only data. */
  static List<String> kinds() {
    return AnyRpc.all().stream()
        .map(Requests::entity)
        .flatMap(Optional::stream)
        .map(Descriptor::getName)
        .distinct()
        .toList();
  }

  /** The requests of an RPC; none if nobody has said how to ask it. */
  static List<String> of(AnyRpc rpc) {
    List<String> listed = LISTED.get(rpc.name());
    if (listed != null) {
      return listed;
    }
    return entity(rpc)
        .flatMap(entity -> standard(rpc.descriptor(), entity))
        .map(List::of)
        .orElse(List.of());
  }

  static DynamicMessage parse(AnyRpc rpc, String text) {
    DynamicMessage.Builder request = DynamicMessage.newBuilder(rpc.input());
    try {
      TextFormat.getParser().merge(text, request);
    } catch (ParseException e) {
      throw new IllegalArgumentException(rpc.name() + " " + text, e);
    }
    return request.build();
  }

  /** The entity that the RPC's service is for. */
  private static Optional<Descriptor> entity(AnyRpc rpc) {
    return rpc.descriptor().getService().getMethods().stream()
        .map(MethodDescriptor::getOutputType)
        .filter(answer -> answer.getOptions().hasExtension(ResourceProto.resource))
        .findFirst();
  }

  private static Optional<String> standard(MethodDescriptor method, Descriptor entity) {
    String name = entity.getName();
    return switch (verb(method, entity)) {
      case "Get", "Delete" -> Optional.of("id: \"%" + name + "%\"");
      case "List" -> Optional.of("");
      case "Create", "Update", "Upsert", "BatchUpsert" ->
          method.getInputType().getFields().stream()
              .filter(field -> isOf(field, entity))
              .findFirst()
              .map(field -> field.getName() + " { " + text(entity) + " }");
      default -> Optional.empty();
    };
  }

  /** What the method does; a list's and a batch's name ends with the plural. */
  private static String verb(MethodDescriptor method, Descriptor entity) {
    String name = method.getName();
    return Stream.of("List", "BatchUpsert")
        .filter(name::startsWith)
        .findFirst()
        .orElse(name.replaceFirst(entity.getName() + "$", ""));
  }

  private static boolean isOf(FieldDescriptor field, Descriptor entity) {
    return field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
        && field.getMessageType().equals(entity);
  }

  private static String text(Descriptor entity) {
    String known = ENTITIES.get(entity.getName());
    if (known != null) {
      return known;
    }
    Resource resource = entity.getOptions().getExtension(ResourceProto.resource);
    StringBuilder text = new StringBuilder("id: \"%" + entity.getName() + "%\"");
    for (FieldDescriptor field : entity.getFields()) {
      if (resource.getNaturalKeyList().contains(field.getName()) || isRequired(field)) {
        text.append(' ').append(field.getName()).append(value(field));
      }
    }
    return text.toString();
  }

  private static boolean isRequired(FieldDescriptor field) {
    return field
        .getOptions()
        .getExtension(FieldBehaviorProto.fieldBehavior)
        .contains(FieldBehavior.REQUIRED);
  }

  private static String value(FieldDescriptor field) {
    return switch (field.getJavaType()) {
      case STRING -> ": \"%" + Parents.kind(field).filter(kinds()::contains).orElse("tag") + "%\"";
      case ENUM -> ": " + field.getEnumType().getValues().get(1).getName();
      case BOOLEAN -> ": true";
      case MESSAGE -> " {}";
      default -> ": 1";
    };
  }
}
