package io.rapport.faults;

import io.rapport.bench.Report;
import io.rapport.identity.v1.TenantServiceGrpc;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.tracking.v1.EventPropertyServiceGrpc;
import io.rapport.tracking.v1.EventServiceGrpc;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/**
 * P9: another request under a known request id is refused, and other callers and tenants have ids
 * of their own. Control: a service that compares nothing.
 */
final class ReusedRequestIds implements Promise {
  private static final String ID = "P9";
  private static final long DEADLINE = 10_000;

  @Override
  public List<Verdict> test(Run run) throws Exception {
    int rounds = run.pick(10, 200);
    try (Victim victim = Victim.serving();
        StandIn careless = new StandIn(victim, StandIn.Fault.COMPARES_NOTHING)) {
      return List.of(service(victim, rounds), control(careless, rounds));
    }
  }

  private static Verdict service(Victim victim, int rounds) throws Exception {
    UUID tenant = victim.newTenant();
    UUID other = victim.newTenant();
    var channel = Victim.channel(victim.port());
    Calls mine = new Calls(channel, victim.token(tenant), DEADLINE);
    Calls colleagues = new Calls(channel, victim.token(tenant, "colleague"), DEADLINE);
    Calls others = new Calls(channel, victim.token(other), DEADLINE);
    for (Calls calls : List.of(mine, others)) {
      calls.call(EventServiceGrpc.getTrackEventMethod(), Make.track(Make.event("ada")));
    }
    String ada = victim.userOf(tenant, "ada");
    String theirAda = victim.userOf(other, "ada");
    Map<String, Integer> accepted = new LinkedHashMap<>();
    Map<String, Integer> refused = new LinkedHashMap<>();
    for (int i = 0; i < rounds; i++) {
      String id = Make.id();
      var link = UserServiceGrpc.getLinkIdentityMethod();
      require(mine.call(link, Make.link(id, ada, "first " + i)));
      count(accepted, "another identity", mine.call(link, Make.link(id, ada, "other " + i)).ok());
      count(
          accepted,
          "another RPC",
          mine.call(EventPropertyServiceGrpc.getDeclarePropertyMethod(), Make.declare(id, "p" + i))
              .ok());
      var create = TenantServiceGrpc.getCreateTenantMethod();
      String tenantId = Make.id();
      require(mine.call(create, Make.tenant(tenantId, "", "named " + tenantId)));
      count(
          accepted,
          "another tenant's name",
          mine.call(create, Make.tenant(tenantId, "", "renamed " + tenantId)).ok());
      count(
          accepted,
          "another tenant's id",
          mine.call(create, Make.tenant(tenantId, Make.id(), "other " + tenantId)).ok());
      count(refused, "colleague", !colleagues.call(link, Make.link(id, ada, "coll " + i)).ok());
      count(refused, "tenant", !others.call(link, Make.link(id, theirAda, "first " + i)).ok());
      count(refused, "same again", !mine.call(link, Make.link(id, ada, "first " + i)).ok());
    }
    channel.shutdownNow();
    Report.say("  accepted: %s; refused: %s", accepted, refused);
    int mismatches = sum(accepted);
    return Verdict.of(ID)
        .with("replays", rounds * 4)
        .with("mismatch_accepted", mismatches)
        .with("own_ids_refused", sum(refused))
        .met(mismatches == 0 && sum(refused) == 0);
  }

  private static void require(Calls.End<?> end) {
    if (!end.ok()) {
      throw new IllegalStateException("a first request failed: " + end);
    }
  }

  private static void count(Map<String, Integer> counts, String what, boolean happened) {
    counts.merge(what, happened ? 1 : 0, Integer::sum);
  }

  private static int sum(Map<String, Integer> counts) {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  private static Verdict control(StandIn careless, int rounds) {
    List<Boolean> accepted = new ArrayList<>();
    for (int i = 0; i < rounds; i++) {
      String id = Make.id();
      careless.call(id, "first " + i);
      accepted.add(careless.call(id, "other " + i).ok());
    }
    long mismatches = accepted.stream().filter(it -> it).count();
    return Verdict.of(ID)
        .with("replays", rounds)
        .with("mismatch_accepted", mismatches)
        .failed(mismatches > 0);
  }
}
