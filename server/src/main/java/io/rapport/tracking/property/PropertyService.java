package io.rapport.tracking.property;

import io.grpc.Context;
import io.grpc.Deadline;
import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.Change;
import io.rapport.platform.Change.Op;
import io.rapport.platform.Failures;
import io.rapport.platform.NamePage;
import io.rapport.platform.Rpcs;
import io.rapport.platform.ServiceException;
import io.rapport.platform.TenantDb;
import io.rapport.platform.Transaction;
import io.rapport.platform.Turns;
import io.rapport.platform.UnitOfWork;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.tracking.v1.DeclarePropertyRequest;
import io.rapport.tracking.v1.EventProperty;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import io.rapport.tracking.v1.GetPropertyRequest;
import io.rapport.tracking.v1.ListPropertiesRequest;
import io.rapport.tracking.v1.ListPropertiesResponse;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The RPCs of declared properties. */
final class PropertyService {
  private static final Logger log = LoggerFactory.getLogger(PropertyService.class);
  private static final long MAX_WAIT_MILLIS = 30_000;
  private static final double SHARE_OF_DEADLINE = 0.8;

  private final TenantDb db;
  private final UnitOfWork work;
  private final PropertyStore properties;
  private final PropertyIndexer indexer;
  private final Predicate<String> isSensitive;
  private final Turns declarations = new Turns();

  /**
   * @param isSensitive tells keys that events never have, because they name a secret
   */
  PropertyService(
      TenantDb db,
      UnitOfWork work,
      PropertyStore properties,
      PropertyIndexer indexer,
      Predicate<String> isSensitive) {
    this.db = db;
    this.work = work;
    this.properties = properties;
    this.indexer = indexer;
    this.isSensitive = isSensitive;
  }

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(EventPropertyServiceGrpc.getServiceDescriptor())
        .unary(EventPropertyServiceGrpc.getGetPropertyMethod(), this::getProperty)
        .unary(EventPropertyServiceGrpc.getListPropertiesMethod(), this::listProperties)
        .unary(EventPropertyServiceGrpc.getDeclarePropertyMethod(), this::declareProperty)
        .build();
  }

  private EventProperty getProperty(GetPropertyRequest request) {
    return find(Caller.currentTenant().id(), request.getName()).proto();
  }

  private DeclaredProperty find(UUID tenant, String name) {
    return db.read(
        tenant,
        dsl ->
            properties
                .find(dsl, tenant, name)
                .orElseThrow(() -> ServiceException.notFound("property", name)));
  }

  private ListPropertiesResponse listProperties(ListPropertiesRequest request) {
    UUID tenant = Caller.currentTenant().id();
    NamePage<EventProperty> page =
        new NamePage<>(
            ListPropertiesRequest.getDefaultInstance(),
            request.getPageSize(),
            request.getPageToken(),
            EventProperty::getName);
    List<EventProperty> found =
        db.read(tenant, dsl -> properties.list(dsl, tenant, page.after(), page.limit())).stream()
            .map(DeclaredProperty::proto)
            .toList();
    return ListPropertiesResponse.newBuilder()
        .addAllProperties(page.items(found))
        .setNextPageToken(page.nextToken(found))
        .build();
  }

  private EventProperty declareProperty(DeclarePropertyRequest request) {
    UUID tenant = Caller.currentTenant().id();
    requireKept(request.getName());
    EventProperty answer =
        declarations.take(
            tenant, () -> work.write(request, EventProperty.parser(), tx -> declare(tx, request)));
    if (request.getValidateOnly()) {
      return answer;
    }
    return indexed(tenant, answer);
  }

  /** It is declared: what goes wrong from now on only means that its events are indexed later. */
  private EventProperty indexed(UUID tenant, EventProperty declared) {
    try {
      await(indexer.index(tenant, find(tenant, declared.getName())));
      return find(tenant, declared.getName()).proto();
    } catch (RuntimeException e) {
      log.info("a property is declared, and its state can't be told yet", e);
      return declared;
    }
  }

  private EventProperty declare(Transaction tx, DeclarePropertyRequest request) {
    Optional<DeclaredProperty> before = properties.find(tx.dsl(), tx.tenant(), request.getName());
    DeclaredProperty declared =
        before.orElseGet(
            () -> properties.insert(tx.dsl(), tx.tenant(), request.getName(), request.getType()));
    requireSameType(declared, request);
    if (before.isEmpty()) {
      tx.changed(new Change(PropertyStore.KIND, Op.CREATED, declared.id(), null, 1));
    }
    return declared.proto();
  }

  private void requireKept(String name) {
    for (String key : name.split("[.]", -1)) {
      if (isSensitive.test(key)) {
        throw ServiceException.invalid(
            "name", ErrorReason.INVALID_FIELD, "names a secret, which events are never kept with");
      }
    }
  }

  private static void requireSameType(DeclaredProperty declared, DeclarePropertyRequest request) {
    if (declared.type() != request.getType()) {
      throw ServiceException.failedPrecondition(
              ErrorReason.PROPERTY_EXISTS, "the property is declared with another type")
          .with("name", request.getName())
          .with("type", declared.type().name());
    }
  }

  /** Waits until all is indexed, but answers before the caller's deadline. */
  private static void await(Future<?> indexed) {
    try {
      indexed.get(patience(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      return; // the caller is told INDEXING
    } catch (ExecutionException e) {
      throw Failures.of(e.getCause() == null ? e : e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static long patience() {
    Deadline deadline = Context.current().getDeadline();
    return deadline == null
        ? MAX_WAIT_MILLIS
        : Math.min(
            MAX_WAIT_MILLIS,
            (long) (deadline.timeRemaining(TimeUnit.MILLISECONDS) * SHARE_OF_DEADLINE));
  }
}
