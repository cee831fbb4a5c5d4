package io.rapport.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.grpc.Deadline;
import io.grpc.Status;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

final class RetrierTest {
  private final List<Duration> pauses = new ArrayList<>();
  private final AtomicInteger tries = new AtomicInteger();
  private final Retrier retrier = new Retrier(pauses::add);

  @Test
  void triesThreeTimes() {
    assertThatThrownBy(() -> retrier.run(true, inTenSeconds(), failing(Status.Code.UNAVAILABLE)))
        .isInstanceOf(UnavailableException.class);

    assertThat(tries).hasValue(3);
  }

  @Test
  void doesNotRepeatWhatIsNotRepeatable() {
    assertThatThrownBy(() -> retrier.run(false, inTenSeconds(), failing(Status.Code.UNAVAILABLE)))
        .isInstanceOf(UnavailableException.class);

    assertThat(tries).hasValue(1);
  }

  @Test
  void doesNotRepeatOtherFailures() {
    for (Status.Code code :
        List.of(Status.Code.ABORTED, Status.Code.INTERNAL, Status.Code.UNKNOWN)) {
      tries.set(0);

      assertThatThrownBy(() -> retrier.run(true, inTenSeconds(), failing(code)))
          .isInstanceOf(RapportException.class);

      assertThat(tries).hasValue(1);
    }
  }

  @Test
  void waitsAtLeastAsLongAsTheServiceAsksFor() {
    RapportException asking = RapportException.of(Faults.of(Status.Code.UNAVAILABLE, "OVERLOADED"));

    assertThatThrownBy(() ->
            retrier.run(
                true,
                inTenSeconds(),
                () -> {
                  throw asking;
                }))
        .isSameAs(asking);

    assertThat(pauses).hasSize(2).allMatch(pause -> pause.toMillis() >= 7);
  }

  @Test
  void staysInDoubtIfALaterTryWasNotSent() {
    RapportException lost = RapportException.ofSentWrite(Status.UNAVAILABLE.asRuntimeException());
    RapportException away = RapportException.of(Status.UNAVAILABLE.asRuntimeException());

    assertThatThrownBy(() -> retrier.run(true, inTenSeconds(), failing(lost, away, away)))
        .isSameAs(lost)
        .hasSuppressedException(away);
  }

  @Test
  void isSureOnceTheServiceHasJudgedTheRequest() {
    RapportException lost = RapportException.ofSentWrite(Status.UNAVAILABLE.asRuntimeException());
    RapportException refused = RapportException.of(Status.INVALID_ARGUMENT.asRuntimeException());

    assertThatThrownBy(() -> retrier.run(true, inTenSeconds(), failing(lost, refused)))
        .isSameAs(refused);
  }

  @Test
  void neverWaitsPastTheDeadline() {
    Deadline over = Deadline.after(0, TimeUnit.MILLISECONDS);

    assertThatThrownBy(() -> retrier.run(true, over, failing(Status.Code.UNAVAILABLE)))
        .isInstanceOf(UnavailableException.class);

    assertThat(tries).hasValue(1);
    assertThat(pauses).isEmpty();
  }

  @Test
  void addsAtMostATenthWhenTheServiceIsDown() {
    int calls = 1_000;
    for (int i = 0; i < calls; i++) {
      assertThatThrownBy(() -> retrier.run(true, inTenSeconds(), failing(Status.Code.UNAVAILABLE)))
          .isInstanceOf(UnavailableException.class);
    }

    assertThat(tries.get()).isLessThanOrEqualTo(calls * 11 / 10);
  }

  @Test
  void earnsItsBudgetBackBySuccess() {
    for (int i = 0; i < 100; i++) {
      assertThatThrownBy(() -> retrier.run(true, inTenSeconds(), failing(Status.Code.UNAVAILABLE)))
          .isInstanceOf(UnavailableException.class);
    }
    for (int i = 0; i < 20; i++) {
      retrier.run(true, inTenSeconds(), () -> "fine");
    }
    tries.set(0);

    assertThatThrownBy(() -> retrier.run(true, inTenSeconds(), failing(Status.Code.UNAVAILABLE)))
        .isInstanceOf(UnavailableException.class);

    assertThat(tries).hasValue(3);
  }

  private static Deadline inTenSeconds() {
    return Deadline.after(10, TimeUnit.SECONDS);
  }

  private Supplier<String> failing(RapportException... failures) {
    return () -> {
      throw failures[tries.getAndIncrement()];
    };
  }

  private Supplier<String> failing(Status.Code code) {
    return () -> {
      tries.incrementAndGet();
      throw RapportException.of(code.toStatus().asRuntimeException());
    };
  }
}
