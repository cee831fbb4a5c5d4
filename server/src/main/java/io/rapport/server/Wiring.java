package io.rapport.server;

import io.grpc.ServerInterceptor;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status.Code;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.rapport.caching.CachingFeature;
import io.rapport.caching.ChangedDatasets;
import io.rapport.db.Database;
import io.rapport.db.Role;
import io.rapport.delivery.DeliveryFeature;
import io.rapport.identity.IdentityFeature;
import io.rapport.identity.UserStore;
import io.rapport.monitoring.alert.AlertFeature;
import io.rapport.monitoring.alert.PoorPerformance;
import io.rapport.monitoring.memory.LearningMemoryFeature;
import io.rapport.monitoring.prediction.PredictionLogFeature;
import io.rapport.platform.Admission;
import io.rapport.platform.AuthInterceptor;
import io.rapport.platform.CallInterceptor;
import io.rapport.platform.CallLog;
import io.rapport.platform.CallMetrics;
import io.rapport.platform.Callers;
import io.rapport.platform.Callers.Anonymous;
import io.rapport.platform.Change;
import io.rapport.platform.ChangeLog;
import io.rapport.platform.Connections;
import io.rapport.platform.Contract;
import io.rapport.platform.JwksVerifier;
import io.rapport.platform.OpenStreams;
import io.rapport.platform.PositionInterceptor;
import io.rapport.platform.Rights;
import io.rapport.platform.Rpcs;
import io.rapport.platform.Rules;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TokenVerifier;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.watch.InitialState;
import io.rapport.platform.watch.Sweeper;
import io.rapport.platform.watch.WatchFeature;
import io.rapport.search.Embedders;
import io.rapport.search.audit.SearchAuditFeature;
import io.rapport.search.embedder.EmbedderFeature;
import io.rapport.search.embedding.EmbeddingFeature;
import io.rapport.search.query.SearchFeature;
import io.rapport.server.ServerConfig.Tokens;
import io.rapport.tracking.contract.ContractFeature;
import io.rapport.tracking.event.EventFeature;
import io.rapport.tracking.event.EventPartitions;
import io.rapport.tracking.event.SensitiveKeys;
import io.rapport.tracking.property.PropertyFeature;
import io.rapport.versioning.ServiceWrites;
import io.rapport.versioning.Writes;
import io.rapport.versioning.dataset.DatasetFeature;
import io.rapport.versioning.model.LivePerformance;
import io.rapport.versioning.model.ModelFeature;
import io.rapport.versioning.training.TrainedDatasets;
import io.rapport.versioning.training.TrainingFeature;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.function.Consumer;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds the parts of the server and joins them. */
final class Wiring implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Wiring.class);

  /** The tenant of calls without a token, in development. */
  static final UUID DEVELOPMENT_TENANT = UUID.fromString("00000000-0000-7000-8000-000000000001");

  private static final int SYSTEM_CONNECTIONS = 2;
  private static final int RESERVED_CONNECTIONS = 2;
  private static final Duration SYSTEM_TIMEOUT = Duration.ofSeconds(10);

  /** For what goes over all events of a dataset. */
  private static final int PATIENT_CONNECTIONS = 3;

  private static final Duration PATIENT_TIMEOUT = Duration.ofMinutes(10);
  private static final Duration AUDIT_TIMEOUT = Duration.ofMinutes(1);

  final PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  final DSLContext system;
  final Pulse pulse;
  final Callers callers;

  /** The first sees a call first. */
  final List<ServerInterceptor> interceptors;

  final OpenStreams streams;
  final List<ServerServiceDefinition> services = new ArrayList<>();
  private final List<AutoCloseable> parts = new ArrayList<>();
  private final List<Runnable> starts = new ArrayList<>();

  Wiring(ServerConfig config, Clock clock, Telemetry telemetry) {
    Database database = config.database();
    pulse = closed(new Pulse(Pools.impatient(database.as(Role.SYSTEM))));
    Pool pool =
        closed(
            Pools.open(
                "server",
                database.as(Role.SERVER),
                config.databaseConnections(),
                config.statementTimeout(),
                pulse,
                metrics));
    Pool systemPool =
        closed(
            Pools.open(
                "system",
                database.as(Role.SYSTEM),
                SYSTEM_CONNECTIONS,
                SYSTEM_TIMEOUT,
                pulse,
                metrics));
    system = TenantDb.dsl(systemPool);
    Pool reservedPool =
        closed(
            Pools.open(
                "reserved",
                database.as(Role.SERVER),
                RESERVED_CONNECTIONS,
                config.statementTimeout(),
                pulse,
                metrics));
    Pool patientPool =
        closed(
            Pools.open(
                "patient",
                database.as(Role.SERVER),
                PATIENT_CONNECTIONS,
                PATIENT_TIMEOUT,
                pulse,
                metrics));
    TenantDb db =
        new TenantDb(
            Connections.shared(pool, config.databaseConnections(), metrics),
            Connections.of(reservedPool),
            config.statementTimeout());
    Contract contract = Contract.load();
    TenantDb systemDb = new TenantDb(systemPool, config.statementTimeout());
    streams = closed(new OpenStreams(clock, config.streamsPerTenant()));
    Gauge.builder("rapport.streams", streams, OpenStreams::size)
        .description("Streams that are open")
        .register(metrics);
    Rules rules = new Rules();
    Rpcs rpcs = new Rpcs(contract, rules, clock, streams);

    WatchFeature watch =
        closed(new WatchFeature(db, watched(), Math.max(1, config.databaseConnections() / 3)));
    UserStore users = new UserStore();
    CachingFeature caching =
        closed(new CachingFeature(db, systemDb, system, users, config.caches(), clock));
    DatasetFeature datasets =
        closed(
            new DatasetFeature(
                new DatasetFeature.Databases(
                    db, new TenantDb(patientPool, PATIENT_TIMEOUT), system),
                TrainingFeature.requests()));
    ChangeLog changes =
        new ChangeLog(
            List.of(PropertyFeature.index(), IdentityFeature.activity(), EventFeature.texts()),
            List.of(CachingFeature.marks(changedDatasets()), DatasetFeature.counting()),
            tenant -> {
              watch.listener().committed(tenant);
              caching.listener().committed(tenant);
              datasets.listener().committed(tenant);
            });
    UnitOfWork work = new UnitOfWork(db, changes);
    UnitOfWork systemWork = new UnitOfWork(systemDb, changes);

    IdentityFeature identity = new IdentityFeature(db, work, systemDb, systemWork, users, clock);
    PropertyFeature properties =
        closed(new PropertyFeature(db, work, system, SensitiveKeys::isSensitive));
    ContractFeature contracts =
        closed(
            new ContractFeature(db, work, system, SensitiveKeys::isSensitive, EventFeature::data));
    EventFeature events =
        closed(
            new EventFeature(
                db,
                work,
                changes,
                users,
                properties.properties(),
                contracts.contracts(),
                watch.watches(),
                config.eventWriters()));
    AlertFeature alerts = closed(new AlertFeature(db, systemDb, work, changes, users, clock));
    PredictionLogFeature predictions =
        closed(new PredictionLogFeature(db, systemDb, work, changes, users, alerts::raise));
    Embedders embedders = closed(EmbedderFeature.embedders(config.embedders(), clock));
    EmbeddingFeature embedding =
        closed(
            new EmbeddingFeature(
                new EmbeddingFeature.Databases(db, work, systemDb, systemWork, system),
                changes,
                embedders,
                config.embedding(),
                metrics));
    SearchAuditFeature searchAudits =
        closed(
            new SearchAuditFeature(
                new SearchAuditFeature.Databases(
                    db, new TenantDb(patientPool, AUDIT_TIMEOUT), systemDb),
                changes,
                new RecallAlerts(alerts),
                config.audits(),
                metrics,
                clock));
    SearchFeature search =
        new SearchFeature(
            db,
            embedders,
            new SearchFeature.Areas(users::complete, LearningMemoryFeature.entries()::read),
            searchAudits.searches());
    LearningMemoryFeature memory =
        new LearningMemoryFeature(db, work, config.learningEntries(), search::nearest);
    Writes writes = new Writes(work, new ServiceWrites(db, changes));
    TrainingFeature training =
        closed(new TrainingFeature(db, system, writes, aroundTrainings(datasets), clock));
    ModelFeature models =
        closed(
            new ModelFeature(
                db,
                system,
                writes,
                training.trainings(),
                aroundModels(alerts, predictions, caching),
                clock));
    DeliveryFeature delivery =
        closed(
            new DeliveryFeature(
                new DeliveryFeature.Databases(db, system, changes), work, systemWork, clock));
    EventPartitions partitions = closed(new EventPartitions(system));
    Sweeper sweeper =
        closed(new Sweeper(new TenantDb(systemPool, SYSTEM_TIMEOUT), config.changeRetention()));

    services.addAll(identity.services(rpcs));
    services.add(properties.service(rpcs));
    services.add(contracts.service(rpcs));
    services.addAll(events.services(rpcs));
    services.addAll(caching.services(rpcs, rules, work));
    services.addAll(datasets.services(rpcs, changes));
    services.add(training.service(rpcs, models.trainedModels()));
    services.addAll(models.services(rpcs));
    services.add(predictions.service(rpcs));
    services.addAll(alerts.services(rpcs));
    services.add(memory.service(rpcs));
    services.addAll(delivery.services(rpcs));
    services.add(search.service(rpcs, rules));
    services.addAll(embedding.services(rpcs));
    services.add(searchAudits.service(rpcs));
    services.add(watch.service(rpcs));
    callers =
        new Callers(
            verifier(config.tokens(), clock),
            identity.tenants(),
            anonymous(config, contract),
            clock);
    CallLog log = new CallLog(config.logs().calls(), config.logs().slow());
    interceptors =
        List.of(
            new CallInterceptor(
                contract, new CallMetrics(metrics), log, closed(telemetry).traces()),
            new AuthInterceptor(callers, Rights.of(contract)),
            new Admission(contract, config.limits(), metrics),
            new PositionInterceptor());
    if (config.development()) {
      starts.add(() -> identity.ensureTenant(DEVELOPMENT_TENANT, "development"));
    }
    starts.add(partitions::start);
    starts.add(properties::start);
    starts.add(contracts::start);
    starts.add(watch::start);
    starts.add(sweeper::start);
    starts.add(caching::start);
    starts.add(() -> datasets.start(changes));
    starts.add(training::start);
    starts.add(models::start);
    starts.add(predictions::start);
    starts.add(alerts::start);
    starts.add(embedding::start);
    if (config.development()) {
      starts.add(() -> embedding.startFirstModels(DEVELOPMENT_TENANT));
    }
    starts.add(delivery::start);
    starts.add(searchAudits::start);
  }

  private static ChangedDatasets changedDatasets() {
    return new ChangedDatasets() {
      @Override
      public boolean concerns(String kind) {
        return DatasetFeature.isChangedBy(kind);
      }

      @Override
      public String names() {
        return DatasetFeature.changed();
      }
    };
  }

  private static TrainedDatasets aroundTrainings(DatasetFeature datasets) {
    return new TrainedDatasets() {
      @Override
      public void trained(
          DSLContext tx,
          UUID tenant,
          UUID dataset,
          @Nullable UUID manifest,
          Instant at,
          Consumer<Change> changes) {
        datasets.trained(tx, tenant, dataset, manifest, at, changes);
      }

      @Override
      public void notTrained(DSLContext tx, UUID tenant, UUID dataset, Consumer<Change> changes) {
        datasets.notTrained(tx, tenant, dataset, changes);
      }
    };
  }

  private static ModelFeature.Others aroundModels(
      AlertFeature alerts, PredictionLogFeature predictions, CachingFeature caching) {
    return new ModelFeature.Others(
        alerts::openCriticalAlerts,
        (dsl, tenant, asked) ->
            predictions
                .livePerformance(
                    dsl,
                    tenant,
                    new PredictionLogFeature.LiveQuestion(
                        asked.modelType(), asked.version(), asked.metric(), asked.from()))
                .map(live -> new LivePerformance.Figure(live.value(), live.sampleCount())),
        caching::modelSuperseded,
        (tx, tenant, poor, changes) ->
            alerts.raise(
                tx,
                tenant,
                new PoorPerformance(poor.modelType(), poor.version(), poor.reason()),
                changes));
  }

  private static WatchFeature.Areas watched() {
    List<InitialState> initialStates = new ArrayList<>(IdentityFeature.initialStates());
    initialStates.add(PropertyFeature.initialState());
    initialStates.addAll(CachingFeature.initialStates());
    initialStates.addAll(AlertFeature.initialStates());
    initialStates.add(LearningMemoryFeature.initialState());
    initialStates.addAll(EventFeature.initialStates());
    initialStates.addAll(DatasetFeature.initialStates());
    initialStates.add(TrainingFeature.initialState());
    initialStates.addAll(ModelFeature.initialStates());
    initialStates.addAll(DeliveryFeature.initialStates());
    initialStates.add(EmbeddingFeature.initialState());
    return new WatchFeature.Areas(IdentityFeature.people(), EventFeature.source(), initialStates);
  }

  /** Begins what the parts do by themselves; the schema must have been checked. */
  void start() {
    pulse.start();
    starts.forEach(Runnable::run);
  }

  private static TokenVerifier verifier(@Nullable Tokens tokens, Clock clock) {
    return tokens == null
        ? token -> {
          throw ServiceException.of(
              Code.UNAUTHENTICATED,
              ErrorReason.TOKEN_INVALID,
              "this server trusts no tokens: it has no JWKS file");
        }
        : new JwksVerifier(tokens.jwks(), tokens.issuer(), tokens.audience(), clock);
  }

  private static @Nullable Anonymous anonymous(ServerConfig config, Contract contract) {
    return config.development() ? new Anonymous(DEVELOPMENT_TENANT, Rights.all(contract)) : null;
  }

  private <T extends AutoCloseable> T closed(T part) {
    parts.addFirst(part);
    return part;
  }

  /** Closes the parts, the last built first. */
  @Override
  public void close() {
    for (AutoCloseable part : parts) {
      try {
        part.close();
      } catch (Exception e) {
        log.warn("a part can't be closed", e);
      }
    }
  }
}
