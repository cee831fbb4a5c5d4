package io.rapport.client;

import io.grpc.Channel;
import io.grpc.ChannelCredentials;
import io.grpc.ClientInterceptor;
import io.grpc.ClientInterceptors;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.ManagedChannel;
import io.grpc.TlsChannelCredentials;
import io.opentelemetry.api.OpenTelemetry;
import io.rapport.platform.v1.ChangeServiceGrpc;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A connection to the service. Thread-safe; one for the whole application is enough.
 *
 * <p>Calls have a deadline of their own, or 95 % of what is left to the current gRPC context if
 * that is sooner. Reads, and writes that the service knows again by their ids, are tried up to
 * three times when the service is unavailable, within the deadline and within a budget of one retry
 * for ten calls. A call reads nothing older than what calls before it have written. Failures are
 * {@link RapportException}s.
 */
public final class RapportClient implements AutoCloseable {
  private static final Duration CLOSE = Duration.ofSeconds(5);

  private final ManagedChannel transport;
  private final boolean owned;
  private final Freshness freshness = new Freshness();
  private final Calls calls;
  private final EventsClient events;
  private final ChangesClient changes;
  private final PropertiesClient properties;
  private final ContractsClient contracts;
  private final QuarantineClient quarantine;
  private final UsersClient users;
  private final PermissionsClient permissions;
  private final SignInsClient signIns;
  private final SettingsClient settings;
  private final TenantsClient tenants;
  private final CachesClient caches;
  private final DatasetsClient datasets;
  private final LearningClient learning;
  private final SearchClient search;
  private final PredictionsClient predictions;
  private final AlertsClient alerts;
  private final LearningMemoryClient learningMemory;
  private final DeliveryClient delivery;
  private final EmbeddingsClient embeddings;

  private RapportClient(Builder builder) {
    ManagedChannel given = builder.channel;
    this.owned = given == null;
    this.transport = given == null ? builder.open() : given;
    Channel channel = ClientInterceptors.intercept(transport, builder.interceptors(freshness));
    Retrier retrier = new Retrier(time -> TimeUnit.NANOSECONDS.sleep(time.toNanos()));
    Reconnect reconnect = new Reconnect(transport::resetConnectBackoff);
    this.calls = new Calls(channel, builder.deadlines, retrier, reconnect);
    this.events =
        new EventsClient(calls, new EventWriter.Opener(channel, transport::resetConnectBackoff));
    this.changes =
        new ChangesClient(
            new WatchConnection.Opener<>(
                channel, ChangeServiceGrpc.getWatchMethod(), transport::resetConnectBackoff));
    this.properties = new PropertiesClient(calls);
    this.contracts = new ContractsClient(calls);
    this.quarantine = new QuarantineClient(calls);
    this.users = new UsersClient(calls);
    this.permissions = new PermissionsClient(calls);
    this.signIns = new SignInsClient(calls);
    this.settings = new SettingsClient(calls);
    this.tenants = new TenantsClient(calls);
    this.caches = new CachesClient(calls, freshness);
    this.datasets = new DatasetsClient(calls);
    this.learning = new LearningClient(calls);
    this.predictions =
        new PredictionsClient(
            calls, new EventWriter.Opener(channel, transport::resetConnectBackoff));
    this.alerts = new AlertsClient(calls);
    this.learningMemory = new LearningMemoryClient(calls);
    this.delivery = new DeliveryClient(calls);
    this.search = new SearchClient(calls);
    this.embeddings = new EmbeddingsClient(calls);
  }

  /**
   * A client without a token: in plaintext if the target is this machine, else over TLS with the
   * certificates that Java trusts.
   *
   * @param target {@code host:port}, or any target that gRPC knows, such as {@code
   *     dns:///host:port}
   */
  public static RapportClient connect(String target) {
    return builder(target).build();
  }

  /** Settings for a client of this target; see {@link #connect}. */
  public static Builder builder(String target) {
    return new Builder(target);
  }

  /** Records events and answers about them. */
  public EventsClient events() {
    return events;
  }

  /** Tells what changes. */
  public ChangesClient changes() {
    return changes;
  }

  /** What models are trained on, how good it is, and exactly what a training saw. */
  public DatasetsClient datasets() {
    return datasets;
  }

  /** Declares properties that events can be filtered and counted by. */
  public PropertiesClient properties() {
    return properties;
  }

  /** Says what events must be like, type by type. */
  public ContractsClient contracts() {
    return contracts;
  }

  /** The events that are kept apart because they break a contract. */
  public QuarantineClient quarantine() {
    return quarantine;
  }

  /** The users of the tenant. */
  public UsersClient users() {
    return users;
  }

  /** What single users may and may not do. */
  public PermissionsClient permissions() {
    return permissions;
  }

  /** Signs users in and out. */
  public SignInsClient signIns() {
    return signIns;
  }

  /** The settings of the tenant's applications. */
  public SettingsClient settings() {
    return settings;
  }

  /** The tenants, for operators. */
  public TenantsClient tenants() {
    return tenants;
  }

  /** Keeps what was expensive to compute. */
  public CachesClient caches() {
    return caches;
  }

  /** Finds entities of all kinds, by meaning and by words. */
  public SearchClient search() {
    return search;
  }

  /** Has models trained, and keeps their versions. */
  public LearningClient learning() {
    return learning;
  }

  /** Logs what models predict and what comes true, and tells how well they do. */
  public PredictionsClient predictions() {
    return predictions;
  }

  /** Alerts about models. */
  public AlertsClient alerts() {
    return alerts;
  }

  /** What assistants got wrong, and how to get it right. */
  public LearningMemoryClient learningMemory() {
    return learningMemory;
  }

  /** What teams deliver: issues, repositories and pull requests, and the steps of work. */
  public DeliveryClient delivery() {
    return delivery;
  }

  /** The vectors by which entities are found, and the models that make them. */
  public EmbeddingsClient embeddings() {
    return embeddings;
  }

  /**
   * How far this client has written and read, to be handed to {@link #atLeast} of another one;
   * empty if it has not. Texts of one tenant are ordered as its commits are.
   */
  public Optional<String> position() {
    return Optional.of(freshness.position()).filter(it -> !it.isEmpty());
  }

  /**
   * Lets this client's calls read nothing older than this position of another client of the tenant.
   * What it has written itself, it always reads.
   */
  public void atLeast(String position) {
    freshness.atLeast(position);
  }

  /**
   * Asks the service whether it is serving.
   *
   * @throws RapportException if it can't be reached
   */
  public boolean isServing() {
    return Health.serving(calls);
  }

  /**
   * The channel for stubs of the generated code, with token and user agent. Such calls have neither
   * a deadline nor retries unless the stub asks for them, and fail with gRPC's exceptions.
   */
  public Channel channel() {
    return calls.channel();
  }

  /**
   * Lets running calls end for up to 5 seconds and disconnects. Writers must be closed before. A
   * channel that was given to the builder stays open. Refreshes of cached values are interrupted.
   */
  @Override
  public void close() {
    caches.close();
    if (!owned) {
      return;
    }
    transport.shutdown();
    try {
      if (!transport.awaitTermination(CLOSE.toMillis(), TimeUnit.MILLISECONDS)) {
        transport.shutdownNow();
      }
    } catch (InterruptedException stop) {
      transport.shutdownNow();
      Thread.currentThread().interrupt();
    }
  }

  /** Settings of a client. */
  public static final class Builder {
    private static final int MAX_INBOUND_BYTES = 16 * 1024 * 1024;

    private final String target;
    private ChannelCredentials credentials;
    private @Nullable ManagedChannel channel;
    private @Nullable Supplier<String> token;
    private Deadlines deadlines = Deadlines.DEFAULT;
    private String userAgent = "rapport-java";
    private @Nullable ClientInterceptor tracing;
    private @Nullable Consumer<CallCost> costs;

    private Builder(String target) {
      this.target = target;
      this.credentials =
          Targets.loopback(target)
              ? InsecureChannelCredentials.create()
              : TlsChannelCredentials.create();
    }

    /** Sends this bearer token with every call. */
    public Builder token(String token) {
      return token(() -> token);
    }

    /**
     * Sends a bearer token with every call. All of them must be of one tenant.
     *
     * @param token asked before every call and every stream, in the caller's thread (before
     *     renewals of a lease in a thread of the client), so it must be quick; it may be asked by
     *     several threads at once
     */
    public Builder token(Supplier<String> token) {
      this.token = token;
      return this;
    }

    /** Connects without encryption; a token can then be read on the way. */
    public Builder plaintext() {
      return credentials(InsecureChannelCredentials.create());
    }

    /** Connects over TLS with the certificates that Java trusts. */
    public Builder tls() {
      return credentials(TlsChannelCredentials.create());
    }

    /**
     * Connects over TLS.
     *
     * @param trusted the certificates to trust, in PEM; read to its end, not closed
     * @throws IOException if they can't be read
     */
    public Builder tls(InputStream trusted) throws IOException {
      return credentials(TlsChannelCredentials.newBuilder().trustManager(trusted).build());
    }

    /** Connects with these credentials, such as those of {@link TlsChannelCredentials} for mTLS. */
    public Builder credentials(ChannelCredentials credentials) {
      this.credentials = credentials;
      return this;
    }

    /** How long a read may take, retries included; 5 seconds unless set. */
    public Builder readDeadline(Duration time) {
      this.deadlines = new Deadlines(positive(time), deadlines.write(), deadlines.batch());
      return this;
    }

    /** How long a write may take, retries included; 10 seconds unless set. */
    public Builder writeDeadline(Duration time) {
      this.deadlines = new Deadlines(deadlines.read(), positive(time), deadlines.batch());
      return this;
    }

    /** How long one call of a batch may take, retries included; 30 seconds unless set. */
    public Builder batchDeadline(Duration time) {
      this.deadlines = new Deadlines(deadlines.read(), deadlines.write(), positive(time));
      return this;
    }

    /** What the service's operators see this client as. */
    public Builder userAgent(String name) {
      this.userAgent = name;
      return this;
    }

    /**
     * Makes spans of calls with this OpenTelemetry. Unless set, with the application's global one,
     * if it has one; without the library {@code opentelemetry-api}, none are made.
     */
    public Builder openTelemetry(OpenTelemetry telemetry) {
      this.tracing = TracingInterceptor.of(telemetry);
      return this;
    }

    /**
     * Asks what each call costs the service's database.
     *
     * @param listener told after each try of a call that the service answered, in a thread of
     *     gRPC's, so it must be quick and not throw; several threads at once may call it
     */
    public Builder costs(Consumer<CallCost> listener) {
      this.costs = listener;
      return this;
    }

    /**
     * Uses this channel instead of opening one; target, credentials and user agent have no effect.
     */
    public Builder channel(ManagedChannel channel) {
      this.channel = channel;
      return this;
    }

    /** The client. It connects with its first call. */
    public RapportClient build() {
      return new RapportClient(this);
    }

    /** The first sees a call last. */
    private List<ClientInterceptor> interceptors(Freshness freshness) {
      List<ClientInterceptor> all = new ArrayList<>();
      all.add(new OutgoingHeaders(token));
      all.add(freshness);
      if (costs != null) {
        all.add(new CostReader(costs));
      }
      if (tracing != null) {
        all.add(tracing);
      } else {
        Tracing.global().ifPresent(all::add);
      }
      return all;
    }

    private ManagedChannel open() {
      return Grpc.newChannelBuilder(target, credentials)
          .userAgent(userAgent)
          .maxInboundMessageSize(MAX_INBOUND_BYTES)
          .keepAliveTime(60, TimeUnit.SECONDS)
          .keepAliveTimeout(10, TimeUnit.SECONDS)
          .keepAliveWithoutCalls(false)
          .disableServiceConfigLookUp()
          .build();
    }

    private static Duration positive(Duration time) {
      if (time.isNegative() || time.isZero()) {
        throw new IllegalArgumentException("a deadline must be longer than nothing: " + time);
      }
      return time;
    }
  }
}
