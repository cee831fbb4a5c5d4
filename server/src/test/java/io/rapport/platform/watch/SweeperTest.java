package io.rapport.platform.watch;

import static io.rapport.server.Given.event;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.rapport.client.CursorExpiredException;
import io.rapport.client.Watch;
import io.rapport.client.WatchOptions;
import io.rapport.identity.v1.LinkIdentityRequest;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.platform.v1.Change;
import io.rapport.server.Given;
import io.rapport.server.Rapport;
import io.rapport.server.RapportServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;

/** A server sweeps when it starts, so each test starts one. */
@Timeout(60)
class SweeperTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final Duration PATIENCE = Duration.ofSeconds(20);

  @Test
  void tellsWhoResumesTooLateWhereTheLogBegins() {
    for (int i = 0; i < 5; i++) {
      rapport.client().events().track(event().build());
    }
    List<String> cursors = new ArrayList<>();
    List<Change> changes = new ArrayList<>();
    try (Watch<Change> watch = rapport.client().changes().watch(WatchOptions.fromOldestKept())) {
      while (changes.size() < 7) {
        var batch = watch.next();
        cursors.add(batch.cursor());
        changes.addAll(batch.items());
      }
    }
    age("change_log", "changed_at", "position <= 3", "25 hours");

    sweep(Map.of("RAPPORT_CHANGE_RETENTION_HOURS", "24"), () -> trimmed() == 3);

    assertThat(count("change_log")).isEqualTo(2);
    CursorExpiredException expired =
        catchThrowableOfType(
            CursorExpiredException.class,
            () -> rapport.client().changes().watch(WatchOptions.after(cursors.getFirst())));
    assertThat(expired).as("cursors %s", cursors).isNotNull();
    try (Watch<Change> oldest =
        rapport.client().changes().watch(WatchOptions.after(expired.oldestCursor()))) {
      assertThat(take(oldest, 2)).isEqualTo(changes.subList(5, 7));
    }
    try (Watch<Change> oldest = rapport.client().changes().watch(WatchOptions.fromOldestKept())) {
      assertThat(take(oldest, 2)).isEqualTo(changes.subList(5, 7));
    }
  }

  @Test
  void keepsWhatComesAfterAYoungerCommit() {
    for (int i = 0; i < 4; i++) {
      rapport.client().events().track(event().build());
    }
    age("change_log", "changed_at", "position in (1, 3, 4)", "200 hours");

    sweep(Map.of(), () -> trimmed() == 1);

    assertThat(count("change_log")).isEqualTo(3);
  }

  @Test
  void letsWritesGoOnWhenAllIsForgotten() {
    rapport.client().events().track(event().build());
    age("change_log", "changed_at", "true", "200 hours");
    String cursor;
    try (Watch<Change> watch = rapport.client().changes().watch(WatchOptions.fromNow())) {
      cursor = watch.next().cursor();
    }

    sweep(Map.of(), () -> count("change_log") == 0);
    String id = rapport.client().events().track(event().build()).getEventId();

    try (Watch<Change> watch = rapport.client().changes().watch(WatchOptions.after(cursor))) {
      assertThat(take(watch, 1)).extracting(Change::getId).containsExactly(id);
    }
  }

  @Test
  void forgetsAnswersAfterSevenDays() {
    rapport.client().events().track(event().build());
    String user = rapport.client().users().get(identity("ada")).orElseThrow().getId();
    List<String> requests = List.of(Given.id(), Given.id());
    for (String request : requests) {
      UserServiceGrpc.newBlockingStub(rapport.channel())
          .linkIdentity(
              LinkIdentityRequest.newBuilder()
                  .setUserId(user)
                  .setIdentity(identity("ada-" + request))
                  .setRequestId(request)
                  .build());
    }
    age("requests", "created_at", "request_id = '" + requests.getFirst() + "'", "169 hours");
    age("requests", "created_at", "request_id = '" + requests.getLast() + "'", "167 hours");

    sweep(Map.of(), () -> count("requests") < 2);

    assertThat(
            sql()
                .fetch(
                    "select request_id from platform.requests where tenant_id = ?",
                    rapport.tenant())
                .getValues(0, UUID.class))
        .containsExactly(UUID.fromString(requests.getLast()));
  }

  private static void sweep(Map<String, String> settings, java.util.function.BooleanSupplier done) {
    try (RapportServer _ = rapport.serve(settings)) {
      long end = System.nanoTime() + PATIENCE.toNanos();
      while (!done.getAsBoolean()) {
        assertThat(System.nanoTime()).as("time until it is swept").isLessThan(end);
      }
    }
  }

  private static void age(String table, String column, String rows, String age) {
    sql()
        .execute(
            "update platform.%s set %s = %s - interval '%s' where tenant_id = ? and %s"
                .formatted(table, column, column, age, rows),
            rapport.tenant());
  }

  private static long trimmed() {
    return sql()
        .fetchSingle(
            "select trimmed_to from platform.tenant_heads where tenant_id = ?", rapport.tenant())
        .get(0, Long.class);
  }

  private static int count(String table) {
    return sql()
        .fetchCount(
            DSL.table(DSL.name("platform", table)),
            DSL.field("tenant_id", UUID.class).eq(rapport.tenant()));
  }

  private static List<Change> take(Watch<Change> watch, int count) {
    List<Change> taken = new ArrayList<>();
    while (taken.size() < count) {
      taken.addAll(watch.next().items());
    }
    return taken;
  }

  private static DSLContext sql() {
    return rapport.sql();
  }
}
