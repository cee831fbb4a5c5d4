package io.rapport.demo;

import de.bwaldvogel.liblinear.Feature;
import de.bwaldvogel.liblinear.FeatureNode;
import de.bwaldvogel.liblinear.Linear;
import de.bwaldvogel.liblinear.Model;
import de.bwaldvogel.liblinear.Parameter;
import de.bwaldvogel.liblinear.Problem;
import de.bwaldvogel.liblinear.SolverType;
import io.rapport.demo.Histories.Case;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/** A logistic regression: how probable it is that a person commits in the next week. */
final class CommitModel {
  private static final double COST = 1;
  private static final double TOLERANCE = 0.001;
  private static final double HALF = 0.5;

  private final Model model;

  /**
   * How good a model is on cases that it was not trained with.
   *
   * @param accuracy the share of cases in which the more probable came true
   * @param alwaysTheMoreFrequent the accuracy of who always says what is more frequent
   * @param auc the probability that of two cases the one that came true had the higher probability
   * @param brier the mean of the squared errors
   */
  record Score(
      int cases, double accuracy, double alwaysTheMoreFrequent, double auc, double brier) {}

  private CommitModel(Model model) {
    this.model = model;
  }

  static CommitModel train(List<Case> cases) {
    Linear.disableDebugOutput();
    Problem problem = new Problem();
    problem.l = cases.size();
    problem.n = Histories.FEATURES.size() + 1;
    problem.x = cases.stream().map(it -> nodes(it.features())).toArray(Feature[][]::new);
    problem.y = cases.stream().mapToDouble(it -> it.active() ? 1 : 0).toArray();
    return new CommitModel(
        Linear.train(problem, new Parameter(SolverType.L2R_LR, COST, TOLERANCE)));
  }

  static CommitModel load(Path file) throws IOException {
    return new CommitModel(Model.load(file));
  }

  void save(Path file) throws IOException {
    model.save(file);
  }

  double probability(List<Double> features) {
    double[] estimates = new double[2];
    var _ = Linear.predictProbability(model, nodes(features), estimates);
    return estimates[model.getLabels()[0] == 1 ? 0 : 1];
  }

  /** With a constant as the last. */
  private static Feature[] nodes(List<Double> features) {
    Feature[] nodes = new Feature[features.size() + 1];
    for (int i = 0; i < features.size(); i++) {
      nodes[i] = new FeatureNode(i + 1, features.get(i));
    }
    nodes[features.size()] = new FeatureNode(features.size() + 1, 1);
    return nodes;
  }

  Score score(List<Case> cases) {
    double[] probabilities = cases.stream().mapToDouble(it -> probability(it.features())).toArray();
    int right = 0;
    int active = 0;
    double squares = 0;
    for (int i = 0; i < probabilities.length; i++) {
      boolean came = cases.get(i).active();
      right += (probabilities[i] > HALF) == came ? 1 : 0;
      active += came ? 1 : 0;
      double error = probabilities[i] - (came ? 1 : 0);
      squares += error * error;
    }
    double all = cases.size();
    return new Score(
        cases.size(),
        right / all,
        Math.max(active, all - active) / all,
        auc(cases, probabilities),
        squares / all);
  }

  /** By the sum of the ranks (Mann and Whitney 1947); equal ones share theirs. */
  private static double auc(List<Case> cases, double[] probabilities) {
    List<Integer> order =
        IntStream.range(0, probabilities.length)
            .boxed()
            .sorted(Comparator.comparingDouble(i -> probabilities[i]))
            .toList();
    double ranks = 0;
    long active = 0;
    for (int i = 0; i < order.size(); ) {
      int end = i;
      while (end < order.size() && probabilities[order.get(end)] == probabilities[order.get(i)]) {
        end++;
      }
      double rank = (i + 1 + end) / 2.0;
      for (; i < end; i++) {
        if (cases.get(order.get(i)).active()) {
          ranks += rank;
          active++;
        }
      }
    }
    double others = cases.size() - active;
    return (ranks - active * (active + 1) / 2.0) / (active * others);
  }
}
