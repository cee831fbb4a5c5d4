package io.rapport.search.embedder;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Context;
import io.rapport.search.EmbedderException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Whose turn it is at the threads of a model. */
@Timeout(30)
class ModelThreadsTest {
  private final ModelThreads threads = new ModelThreads(1);
  private final ExecutorService callers = Executors.newVirtualThreadPerTaskExecutor();
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch free = new CountDownLatch(1);
  private final List<String> done = new CopyOnWriteArrayList<>();

  @AfterEach
  void close() {
    free.countDown();
    threads.end();
    callers.close();
    timer.shutdownNow();
  }

  private Future<?> ask(String name, boolean background) {
    return callers.submit(() -> threads.run(background, () -> done.add(name)));
  }

  private void occupy() throws InterruptedException {
    Future<?> _ =
        callers.submit(() ->
            threads.run(
                true,
                () -> {
                  begun.countDown();
                  free.await();
                  return done.add("first");
                }));
    begun.await();
  }

  private void awaitWaiting(int count) {
    while (threads.waiting() < count) {
      Thread.onSpinWait();
    }
  }

  @Test
  void callersGoBeforeTheBackgroundAndOthersInTheirOrder() throws Exception {
    occupy();
    List<Future<?>> asked = new CopyOnWriteArrayList<>();
    for (String name : List.of("b1", "b2", "c1", "c2")) {
      asked.add(ask(name, name.startsWith("b")));
      awaitWaiting(asked.size());
    }
    free.countDown();
    for (Future<?> each : asked) {
      each.get();
    }

    assertThat(done).containsExactly("first", "c1", "c2", "b1", "b2");
  }

  @Test
  void aCallerWaitsNoLongerThanItsDeadline() throws Exception {
    occupy();

    try (Context.CancellableContext call =
        Context.current().withDeadlineAfter(50, TimeUnit.MILLISECONDS, timer)) {
      call.run(() ->
          assertThatThrownBy(() -> threads.run(false, () -> done.add("late")))
              .isInstanceOf(EmbedderException.class)
              .hasMessageContaining("busy"));
    }
    free.countDown();
    ask("next", true).get();

    assertThat(done).containsExactly("first", "next");
  }

  @Test
  void runsOnThreadsOfTheSystem() {
    assertThat(threads.<Boolean>run(false, () -> Thread.currentThread().isVirtual())).isFalse();
  }

  @Test
  void leavesACoreForOtherCalls() {
    assertThat(ModelThreads.count(1, 1)).isEqualTo(1);
    assertThat(ModelThreads.count(2, 1)).isEqualTo(1);
    assertThat(ModelThreads.count(8, 1)).isEqualTo(7);
    assertThat(ModelThreads.count(8, 2)).isEqualTo(3);
  }
}
