package io.rapport.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.rapport.demo.Histories.Case;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class CommitModelTest {
  private static final int PEOPLE = 40;
  private static final int WEEKS = 60;

  /** Half of the people commit each week, the others once in a while. */
  private static List<Commit> commits(int weeks) {
    Random random = new Random(7);
    List<Commit> commits = new ArrayList<>();
    for (int week = 0; week < weeks; week++) {
      for (int person = 0; person < PEOPLE; person++) {
        boolean keen = person % 2 == 0;
        if (random.nextDouble() < (keen ? 0.95 : 0.1)) {
          commits.add(new Commit("person " + person, week, 10));
        }
      }
    }
    return commits;
  }

  @Test
  void knowsNothingOfWhatCameLater() {
    Histories all = new Histories(commits(WEEKS));
    for (int week = 12; week < WEEKS - 1; week++) {
      Histories then = new Histories(commits(week + 1));
      assertThat(features(all.cases(week, week + 1)))
          .isNotEmpty()
          .isEqualTo(features(then.cases(week, week + 1)));
    }
  }

  private static Map<String, List<Double>> features(List<Case> cases) {
    return cases.stream().collect(Collectors.toMap(Case::user, Case::features));
  }

  @Test
  void tellsTheKeenFromTheOthers() {
    Histories histories = new Histories(commits(WEEKS));
    CommitModel model = CommitModel.train(histories.cases(12, 40));

    CommitModel.Score score = model.score(histories.cases(40, WEEKS - 1));

    assertThat(score.accuracy()).isGreaterThan(0.85).isGreaterThan(score.alwaysTheMoreFrequent());
    assertThat(score.auc()).isBetween(0.85, 1.0);
  }

  @Test
  void scoresAGuesserAsOne() {
    Random random = new Random(1);
    List<Case> chance = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      List<Double> features = new ArrayList<>();
      Histories.FEATURES.forEach(name -> features.add(random.nextDouble()));
      chance.add(new Case("person " + i, i, features, random.nextBoolean()));
    }

    CommitModel.Score score =
        CommitModel.train(chance.subList(0, 1_000)).score(chance.subList(1_000, 2_000));

    assertThat(score.auc()).isCloseTo(0.5, within(0.06));
    assertThat(score.brier()).isCloseTo(0.25, within(0.02));
  }
}
