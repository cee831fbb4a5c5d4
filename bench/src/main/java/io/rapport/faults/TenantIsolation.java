package io.rapport.faults;

import io.grpc.ManagedChannel;
import io.rapport.bench.Report;
import io.rapport.db.Role;
import java.util.List;
import java.util.UUID;

/**
 * P40: no tenant sees, counts, guesses or touches what is another's, by any RPC; and should a query
 * forget whose rows it is for, row-level security doesn't. Control: the same queries by a role that
 * it doesn't bind.
 */
final class TenantIsolation implements Promise {
  private static final String ID = "P40";

  @Override
  public List<Verdict> test(Run run) throws Exception {
    try (Victim victim = Victim.serving()) {
      ManagedChannel channel = Victim.channel(victim.port());
      Inhabitant other = Inhabitant.of(victim, channel);
      Inhabitant asker = Inhabitant.of(victim, channel);
      Questions questions = new Questions(asker, Inhabitant.of(victim, channel), other);
      TenantTables tables = new TenantTables(victim);
      String before = tables.settledFingerprint(other.tenant());
      questions.ask();
      questions.write();
      boolean touched = !tables.fingerprint(other.tenant()).equals(before);
      channel.shutdownNow();
      return List.of(
          service(victim, questions, tables, asker.tenant(), touched),
          control(victim, tables, asker.tenant()));
    }
  }

  private static Verdict service(
      Victim victim, Questions questions, TenantTables tables, UUID asker, boolean touched)
      throws Exception {
    TenantTables.Leaks leaks = tables.leaks(victim.database().as(Role.SERVER), asker);
    Report.say("  nobody has said how to ask: %s", questions.unasked());
    return Verdict.of(ID)
        .with("rpcs", questions.asked().size())
        .with("rpcs_not_asked", questions.unasked().size())
        .with("rpcs_telling_own", questions.tellingOwn().size())
        .with("cross_reads", questions.crossReads().size())
        .with("oracle_diffs", questions.differences().size())
        .with("touched", touched ? 1 : 0)
        .with("tables", tables.count())
        .with("tables_unreadable", leaks.unreadable())
        .with("unfiltered_leaks", leaks.rows())
        .met(
            questions.unasked().isEmpty()
                && questions.tellingOwn().size() > questions.asked().size() / 2
                && questions.crossReads().isEmpty()
                && questions.differences().isEmpty()
                && !touched
                && leaks.rows() == 0);
  }

  private static Verdict control(Victim victim, TenantTables tables, UUID asker) throws Exception {
    TenantTables.Leaks leaks = tables.leaks(victim.database(), asker);
    return Verdict.of(ID)
        .with("tables", tables.count())
        .with("tables_leaking", leaks.tables())
        .with("unfiltered_leaks", leaks.rows())
        .failed(leaks.rows() > 0);
  }
}
