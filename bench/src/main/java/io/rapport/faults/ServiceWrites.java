package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The service's writes that take a request id. A key makes a tenant, or links an identity to a user
 * of its own, which leaves an entry in the change log each time that it is done.
 */
final class ServiceWrites implements NamedWrites {
  private static final long DEADLINE = 10_000;
  private static final long PATIENCE = 30_000;
  private static final int AT_ONCE = 1000;

  /** How keys of tenants begin. */
  static final String TENANT = "tenant";

  private final Victim victim;
  private final UUID tenant;
  private final Map<String, String> users;
  private final ManagedChannel channel;
  private final Calls calls;

  private ServiceWrites(Victim victim, UUID tenant, int port, Map<String, String> users)
      throws Exception {
    this.victim = victim;
    this.tenant = tenant;
    this.users = users;
    this.channel = Victim.channel(port);
    this.calls = new Calls(channel, victim.token(tenant), DEADLINE);
  }

  static ServiceWrites of(Victim victim, UUID tenant) throws Exception {
    return new ServiceWrites(victim, tenant, victim.port(), new ConcurrentHashMap<>());
  }

  /** The same by another server on the same database. */
  ServiceWrites at(int port) throws Exception {
    return new ServiceWrites(victim, tenant, port, users);
  }

  Calls calls() {
    return calls;
  }

  String user(String key) {
    return String.valueOf(users.get(key));
  }

  @Override
  public void prepare(Collection<String> keys) throws Exception {
    List<String> left = new ArrayList<>(keys);
    left.removeIf(key -> key.startsWith(TENANT));
    for (int from = 0; from < left.size(); from += AT_ONCE) {
      List<String> some = left.subList(from, Math.min(left.size(), from + AT_ONCE));
      calls.untilAnswered(
          EventServiceGrpc.getBatchTrackEventsMethod(), Make.eventsOf(some), PATIENCE);
    }
    users.putAll(
        victim.texts(
            "SELECT subject, user_id FROM identity.identity_links WHERE tenant_id = '"
                + tenant
                + "'"));
  }

  @Override
  public Told call(String requestId, String key) throws InterruptedException {
    Calls.End<?> end =
        key.startsWith(TENANT)
            ? calls.untilAnswered(
                TenantServiceGrpc.getCreateTenantMethod(),
                Make.tenant(requestId, "", key),
                PATIENCE)
            : calls.untilAnswered(
                UserServiceGrpc.getLinkIdentityMethod(),
                Make.link(requestId, user(key), key + " linked"),
                PATIENCE);
    return new Told(end.ok(), end.text());
  }

  /** Once only, whatever becomes of it. */
  Calls.End<?> callOnce(String requestId, String key) {
    return calls.call(
        UserServiceGrpc.getLinkIdentityMethod(), Make.link(requestId, user(key), key + " linked"));
  }

  @Override
  public Map<String, Integer> effects() throws SQLException {
    Map<String, Integer> effects = new HashMap<>();
    effects.putAll(
        victim.counts(
            "SELECT display_name FROM identity.tenants WHERE display_name LIKE 'tenant %'"));
    effects.putAll(
        victim.counts(
            """
            SELECT l.subject FROM platform.change_log c
              JOIN identity.identity_links l
                ON l.tenant_id = c.tenant_id AND l.user_id = c.user_id
               AND l.subject NOT LIKE '% linked'
             WHERE c.kind = 'identity.user' AND c.op = 'UPDATED'
            """));
    return effects;
  }

  @Override
  public void close() {
    channel.shutdownNow();
  }
}
