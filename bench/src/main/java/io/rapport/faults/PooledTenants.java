package io.rapport.faults;

import com.google.protobuf.Message;
import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.db.Role;
import io.rapport.identity.v1.CreateSystemSettingRequest;
import io.rapport.identity.v1.CreateUserRequest;
import io.rapport.identity.v1.GetUserRequest;
import io.rapport.identity.v1.ListUsersRequest;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingServiceGrpc;
import io.rapport.identity.v1.UpsertSystemSettingRequest;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserServiceGrpc;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/**
 * P41: a pooled connection never carries a tenant over, however the call before ended. All tenants
 * use the same names, and whatever they store says whose it is. Control: connections that are
 * shared, and told the tenant for the rest of the session.
 */
final class PooledTenants implements Promise {
  private static final String ID = "P41";
  private static final int TENANTS = 8;
  private static final int CALLERS = 8;
  private static final int CONNECTIONS = 3;
  private static final int SHARED_CONNECTIONS = 2;
  private static final long DEADLINE = 5000;
  private static final int SHORTEST_DEADLINES = 12;
  private static final String EMAIL = "ada@example.org";

  private static final String DISTURBED =
      "(pid) FROM pg_stat_activity WHERE usename = 'rapport_server' AND state <> 'idle'"
          + " ORDER BY random() LIMIT 1";

  private static final String STRAYED =
      """
      SELECT (SELECT count(*) FROM identity.users
               WHERE last_name IS NOT NULL AND last_name <> tenant_id::text)
           + (SELECT count(*) FROM identity.system_settings
               WHERE setting_value <> tenant_id::text)
      """;

  /** What the callers have seen. */
  private static final class Seen {
    private final Map<String, Integer> ends = new TreeMap<>();
    private int answers;
    private int wrong;

    private synchronized void add(Calls.End<? extends Message> end, UUID own, List<UUID> all) {
      ends.merge(end.status().getCode().name(), 1, Integer::sum);
      Message answer = end.answer();
      if (answer == null) {
        return;
      }
      String text = answer.toString();
      boolean right =
          all.stream().allMatch(tenant -> text.contains(tenant.toString()) == tenant.equals(own));
      answers++;
      wrong += right ? 0 : 1;
    }
  }

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int calls = run.pick(2000, 10_000);
    try (Victim victim = Victim.open()) {
      victim.set("RAPPORT_DATABASE_CONNECTIONS", String.valueOf(CONNECTIONS)).start();
      List<UUID> tenants = new ArrayList<>();
      for (int i = 0; i < TENANTS; i++) {
        tenants.add(victim.newTenant());
      }
      return List.of(service(victim, tenants, run, calls), control(victim, tenants, run, calls));
    }
  }

  private static Verdict service(Victim victim, List<UUID> tenants, Run run, int calls)
      throws Exception {
    ManagedChannel channel = Victim.channel(victim.port());
    List<Calls> callers = new ArrayList<>();
    for (UUID tenant : tenants) {
      Calls own = new Calls(channel, victim.token(tenant), DEADLINE);
      own.call(UserServiceGrpc.getCreateUserMethod(), create(EMAIL, tenant));
      own.call(SystemSettingServiceGrpc.getUpsertSystemSettingMethod(), upsert(tenant));
      callers.add(own);
    }
    Seen seen = new Seen();
    AtomicBoolean done = new AtomicBoolean();
    var disturbing = Threads.start(() -> disturb(victim, done));
    Threads.each(
        CALLERS,
        caller -> {
          Random random = run.random("caller " + caller);
          for (int i = 0; i < calls / CALLERS; i++) {
            int tenant = random.nextInt(TENANTS);
            seen.add(
                one(callers.get(tenant), tenants.get(tenant), random),
                tenants.get(tenant),
                tenants);
          }
        });
    done.set(true);
    disturbing.join();
    channel.shutdownNow();
    long strayed = victim.number(STRAYED);
    int cut = calls - seen.answers;
    Report.say("  calls ended so: %s", seen.ends);
    return Verdict.of(ID)
        .with("calls", calls)
        .with("tenants", TENANTS)
        .with("connections", CONNECTIONS)
        .with("answers", seen.answers)
        .with("cut_short_or_refused", cut)
        .with("carry_over", seen.wrong + strayed)
        .met(seen.wrong + strayed == 0 && seen.answers > calls / 5 && cut > calls / 20);
  }

  /** A call of any kind, often with a deadline that ends it in the middle. */
  private static Calls.End<? extends Message> one(Calls calls, UUID tenant, Random random) {
    long deadline = random.nextInt(3) == 0 ? 1 + random.nextInt(SHORTEST_DEADLINES) : DEADLINE;
    return switch (random.nextInt(5)) {
      case 0 ->
          calls.call(
              UserServiceGrpc.getListUsersMethod(),
              ListUsersRequest.getDefaultInstance(),
              deadline);
      case 1 ->
          calls.call(
              UserServiceGrpc.getGetUserMethod(),
              GetUserRequest.newBuilder().setEmail(EMAIL).build(),
              deadline);
      case 2 ->
          calls.call(
              UserServiceGrpc.getCreateUserMethod(),
              create(Make.id() + "@example.org", tenant),
              deadline);
      case 3 ->
          calls.call(
              SystemSettingServiceGrpc.getCreateSystemSettingMethod(),
              CreateSystemSettingRequest.newBuilder().setSystemSetting(setting(tenant)).build(),
              deadline);
      default ->
          calls.call(
              SystemSettingServiceGrpc.getUpsertSystemSettingMethod(), upsert(tenant), deadline);
    };
  }

  private static CreateUserRequest create(String email, UUID tenant) {
    return CreateUserRequest.newBuilder()
        .setUser(User.newBuilder().setEmail(email).setLastName(tenant.toString()))
        .build();
  }

  private static SystemSetting setting(UUID tenant) {
    return SystemSetting.newBuilder()
        .setSettingKey("whose")
        .setSettingValue(tenant.toString())
        .build();
  }

  private static UpsertSystemSettingRequest upsert(UUID tenant) {
    return UpsertSystemSettingRequest.newBuilder().setSystemSetting(setting(tenant)).build();
  }

  /** Breaks off statements and, less often, connections. */
  private static Boolean disturb(Victim victim, AtomicBoolean done) throws SQLException {
    try (Connection admin = victim.connect();
        Statement statement = admin.createStatement()) {
      for (int i = 1; !done.get(); i++) {
        statement.execute(
            "SELECT " + (i % 20 == 0 ? "pg_terminate_backend" : "pg_cancel_backend") + DISTURBED);
        Threads.sleep(5);
      }
    }
    return true;
  }

  private static Verdict control(Victim victim, List<UUID> tenants, Run run, int calls)
      throws SQLException {
    List<Connection> pool = new ArrayList<>();
    for (int i = 0; i < SHARED_CONNECTIONS; i++) {
      pool.add(Victim.connect(victim.database().as(Role.SERVER)));
    }
    AtomicLong carried = new AtomicLong();
    Threads.each(
        CALLERS,
        caller -> {
          Random random = run.random("sharer " + caller);
          for (int i = 0; i < calls / CALLERS; i++) {
            Connection shared = pool.get(random.nextInt(SHARED_CONNECTIONS));
            carried.addAndGet(others(shared, tenants.get(caller)));
          }
        });
    for (Connection connection : pool) {
      connection.close();
    }
    return Verdict.of(ID)
        .with("calls", calls)
        .with("connections", SHARED_CONNECTIONS)
        .with("carry_over", carried)
        .failed(carried.get() > 0);
  }

  /** How many other tenants' settings a tenant sees. */
  private static int others(Connection shared, UUID tenant) {
    int others = 0;
    try (Statement statement = shared.createStatement()) {
      statement.execute("SET rapport.tenant = '" + tenant + "'");
      try (ResultSet rows =
          statement.executeQuery("SELECT setting_value FROM identity.system_settings")) {
        while (rows.next()) {
          others += tenant.toString().equals(rows.getString(1)) ? 0 : 1;
        }
      }
      return others;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }
}
