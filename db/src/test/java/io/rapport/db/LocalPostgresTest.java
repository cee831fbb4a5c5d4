package io.rapport.db;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class LocalPostgresTest {
  private Path directory = Path.of("");

  @BeforeEach
  void makeDirectory() throws Exception {
    // Not a @TempDir: what PostgreSQL's user owns in it is deleted by the test itself.
    directory = Files.createTempDirectory("rapport-test-");
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  @AfterEach
  void deleteDirectory() {
    Trees.delete(directory);
  }

  @Test
  void keepsDataBetweenRuns() throws Exception {
    Path data = directory.resolve("data");
    try (LocalPostgres first = LocalPostgres.open(data)) {
      TestCluster.execute(first.database(), "CREATE TABLE kept AS SELECT 7 AS n");
    }

    try (LocalPostgres second = LocalPostgres.open(data)) {
      assertThat(TestCluster.query(second.database(), "SELECT n FROM kept")).containsExactly("7");
      assertThat(TestCluster.query(second.database(), "SHOW data_checksums")).containsExactly("on");
      assertThat(TestCluster.query(second.database(), "SHOW fsync")).containsExactly("on");
      assertThat(TestCluster.query(second.database(), "SHOW listen_addresses"))
          .containsExactly("127.0.0.1");
    }
  }

  @Test
  void recoversAfterItsServerWasKilled() throws Exception {
    Path data = directory.resolve("data");
    LocalPostgres first = LocalPostgres.open(data);
    TestCluster.execute(first.database(), "CREATE TABLE kept AS SELECT 7 AS n");
    ProcessHandle postmaster = ProcessHandle.of(first.pid()).orElseThrow();

    postmaster.destroyForcibly();
    postmaster.onExit().join();
    LocalPostgres second = LocalPostgres.open(data);

    assertThat(TestCluster.query(second.database(), "SELECT n FROM kept")).containsExactly("7");
    first.close();
    second.close();
    assertThatThrownBy(second::pid).isInstanceOf(LocalPostgresException.class);
  }

  @Test
  void adoptsAServerThatRuns() throws Exception {
    Path data = directory.resolve("data");
    LocalPostgres first = LocalPostgres.open(data);
    LocalPostgres second = LocalPostgres.open(data);

    assertThat(second.pid()).isEqualTo(first.pid());
    first.close();
    assertThat(TestCluster.query(second.database(), "SELECT 1")).containsExactly("1");
    second.close();
    assertThatThrownBy(second::pid).isInstanceOf(LocalPostgresException.class);
  }

  @Test
  void bearsManyThatOpenItAtOnce() throws Exception {
    Path data = directory.resolve("data");
    List<Process> processes = new ArrayList<>();
    for (int n = 0; n < 3; n++) {
      processes.add(TestCluster.java(DbCommand.class, "migrate", "--data", data.toString()));
    }

    for (Process process : processes) {
      assertThat(process.waitFor()).isZero();
    }
    try (LocalPostgres after = LocalPostgres.open(data)) {
      assertThat(Migrations.of(after.database()).validate()).isEqualTo(Migrations.schemaVersion());
    }
  }

  @Test
  void runsTwoSideBySide() throws Exception {
    try (ExecutorService both = Executors.newFixedThreadPool(2)) {
      List<Callable<LocalPostgres>> openings =
          List.of(
              () -> LocalPostgres.open(directory.resolve("one")),
              () -> LocalPostgres.open(directory.resolve("two")));
      List<LocalPostgres> opened = new ArrayList<>();
      for (Future<LocalPostgres> opening : both.invokeAll(openings)) {
        opened.add(opening.get());
      }
      assertThat(opened.get(0).database().jdbcUrl())
          .isNotEqualTo(opened.get(1).database().jdbcUrl());
      opened.forEach(LocalPostgres::close);
    }
  }

  @Test
  void deletesATemporaryCluster() {
    LocalPostgres temporary = LocalPostgres.temporary(Durability.NONE);
    assertThat(temporary.directory()).exists();

    temporary.close();
    assertThat(temporary.directory()).doesNotExist();
  }

  @Test
  void removesWhatAKilledProcessLeft() throws Exception {
    Process killed = TestCluster.java(directory, TemporaryProcess.class, "stay");
    TestCluster.await("its server", () -> server().map(Postmaster::ready).orElse(false));
    Postmaster left = server().orElseThrow();
    killed.destroyForcibly().waitFor();
    Files.setLastModifiedTime(orphan().orElseThrow(), FileTime.fromMillis(0));

    assertThat(TestCluster.java(directory, TemporaryProcess.class).waitFor()).isZero();

    assertThat(orphan()).isEmpty();
    TestCluster.await(
        "the end of its server",
        () -> ProcessHandle.of(left.pid()).filter(ProcessHandle::isAlive).isEmpty());
  }

  private Optional<Path> orphan() throws IOException {
    try (Stream<Path> left = Files.list(directory)) {
      return left.filter(Files::isDirectory).findFirst();
    }
  }

  private Optional<Postmaster> server() throws IOException {
    Optional<Path> place = orphan();
    return place.isEmpty()
        ? Optional.empty()
        : Postmaster.read(place.get().resolve("postgres").resolve("postmaster.pid"));
  }

  @Test
  void saysWhichDirectoryIsClosedToItsUser() throws Exception {
    Assumptions.assumeTrue(PostgresAccount.current().switching());
    Path closed = Files.createDirectory(directory.resolve("closed"));
    Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("rwx------"));

    assertThatThrownBy(() -> LocalPostgres.open(closed.resolve("data")))
        .isInstanceOf(LocalPostgresException.class)
        .hasMessage(
            "PostgreSQL runs as the user postgres, which can't enter %s; choose another --data"
                .formatted(closed));
  }

  @Test
  @Timeout(30)
  void refusesAtOnceWhatItDidNotMake() throws Exception {
    Path within = Files.createDirectories(directory.resolve("data/postgres"));
    Files.writeString(within.resolve("PG_VERSION"), "15\n");
    Path data = Files.createDirectory(directory.resolve("other"));
    Files.writeString(data.resolve("PG_VERSION"), "15\n");

    for (Path foreign : List.of(directory.resolve("data"), data)) {
      assertThatThrownBy(() -> LocalPostgres.open(foreign))
          .isInstanceOf(LocalPostgresException.class)
          .hasMessage(
              foreign + " holds a PostgreSQL that Rapport didn't make; choose another --data");
      assertThat(foreign.toFile().list()).hasSize(1);
    }
  }

  @Test
  @Timeout(60)
  void refusesAtOnceWhatAnotherVersionMade() throws Exception {
    Path data = directory.resolve("data");
    LocalPostgres.open(data).close();
    Files.writeString(data.resolve("postgres/PG_VERSION"), "14\n");

    assertThatThrownBy(() -> LocalPostgres.open(data))
        .isInstanceOf(LocalPostgresException.class)
        .hasMessageContaining("was made by PostgreSQL 14, and this is ");
  }

  @Test
  @Timeout(60)
  void refusesAtOnceWhatBelongsToAnotherUser() throws Exception {
    Assumptions.assumeTrue(PostgresAccount.current().switching());
    Path data = directory.resolve("data");
    LocalPostgres.open(data).close();
    Files.setOwner(data.resolve("postgres"), Files.getOwner(directory));

    assertThatThrownBy(() -> LocalPostgres.open(data))
        .isInstanceOf(LocalPostgresException.class)
        .hasMessageContaining("belongs to the user root");
  }

  @Test
  void leavesADirectoryThatItCanEnterAsItIs() throws Exception {
    LocalPostgres.open(directory).close();

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(directory)))
        .isEqualTo("rwxr-xr-x");
  }

  @Test
  void givesEachCheckoutItsOwnDirectory() {
    assertThat(LocalPostgres.defaultDirectory(Path.of("/a")))
        .isNotEqualTo(LocalPostgres.defaultDirectory(Path.of("/b")));
  }
}
