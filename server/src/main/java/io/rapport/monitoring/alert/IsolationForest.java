package io.rapport.monitoring.alert;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * An isolation forest (Liu, Ting and Zhou, Isolation Forest, ICDM 2008): what few random cuts set
 * apart from the rest is anomalous. The same rows and seed give the same forest.
 */
final class IsolationForest {
  private static final double EULER = 0.5772156649015329;

  private final double[][] rows;
  private final Shape shape;
  private final int size;
  private final double usualPath;

  /** How a forest is grown. */
  record Shape(int trees, int sampleSize, long seed) {}

  /**
   * A forest that is grown from rows.
   *
   * @param rows at least 2, each with the same features
   */
  IsolationForest(double[][] rows, Shape shape) {
    this.rows = rows;
    this.shape = shape;
    this.size = Math.min(shape.sampleSize(), rows.length);
    this.usualPath = usualPath(size);
  }

  /** Rows without repetition. */
  private static double[][] sample(double[][] rows, int size, SplittableRandom random) {
    double[][] drawn = rows.clone();
    for (int i = 0; i < size; i++) {
      int j = random.nextInt(i, drawn.length);
      double[] row = drawn[i];
      drawn[i] = drawn[j];
      drawn[j] = row;
    }
    return Arrays.copyOf(drawn, size);
  }

  /**
   * Scores rows from 0 to -1, the more anomalous the less; about -0.5 is usual. Each tree is grown,
   * asked about all rows and dropped, so that a forest takes no more room than one tree.
   */
  double[] scores(double[][] asked) {
    SplittableRandom random = new SplittableRandom(shape.seed());
    int limit = (int) Math.ceil(Math.log(size) / Math.log(2));
    double[] paths = new double[asked.length];
    for (int i = 0; i < shape.trees(); i++) {
      Tree tree = new Tree(sample(rows, size, random), limit, random.split());
      for (int j = 0; j < asked.length; j++) {
        paths[j] += tree.path(asked[j]);
      }
    }
    return Arrays.stream(paths).map(it -> -Math.pow(2, -it / shape.trees() / usualPath)).toArray();
  }

  /** The mean path to a row in a search tree of so many, by which paths are measured. */
  static double usualPath(int rows) {
    if (rows <= 1) {
      return 0;
    }
    if (rows == 2) {
      return 1;
    }
    double harmonic = Math.log(rows - 1.0) + EULER;
    return 2 * harmonic - 2 * (rows - 1.0) / rows;
  }

  /** One tree: its nodes lie in arrays, the root first. */
  private static final class Tree {
    private static final int LEAF = -1;

    private final SplittableRandom random;
    private final int limit;
    private final double[][] rows;
    private final int[] feature;
    private final double[] cut;
    private final int[] left;
    private final int[] right;

    /** Of leaves, how long the path would go on. */
    private final double[] rest;

    private int nodes;

    private Tree(double[][] rows, int limit, SplittableRandom random) {
      this.rows = rows;
      this.limit = limit;
      this.random = random;
      int most = 2 * rows.length;
      this.feature = new int[most];
      this.cut = new double[most];
      this.left = new int[most];
      this.right = new int[most];
      this.rest = new double[most];
      grow(0, rows.length, 0);
    }

    /** Grows the node of the rows from one place to another; returns its number. */
    private int grow(int from, int to, int depth) {
      int node = nodes++;
      int chosen = depth < limit && to - from > 1 ? featureToCut(from, to) : LEAF;
      feature[node] = chosen;
      if (chosen == LEAF) {
        rest[node] = usualPath(to - from);
        return node;
      }
      cut[node] = cutOf(chosen, from, to);
      int middle = part(chosen, cut[node], from, to);
      left[node] = grow(from, middle, depth + 1);
      right[node] = grow(middle, to, depth + 1);
      return node;
    }

    /** One of the features in which the rows differ. */
    private int featureToCut(int from, int to) {
      int chosen = LEAF;
      int candidates = 0;
      for (int f = 0; f < rows[from].length; f++) {
        if (differ(f, from, to) && random.nextInt(++candidates) == 0) {
          chosen = f;
        }
      }
      return chosen;
    }

    private boolean differ(int f, int from, int to) {
      for (int i = from + 1; i < to; i++) {
        if (rows[i][f] != rows[from][f]) {
          return true;
        }
      }
      return false;
    }

    /** Above the least value, and not above the greatest: so both sides have rows. */
    private double cutOf(int f, int from, int to) {
      double min = rows[from][f];
      double max = min;
      for (int i = from + 1; i < to; i++) {
        min = Math.min(min, rows[i][f]);
        max = Math.max(max, rows[i][f]);
      }
      double share = random.nextDouble();
      double at = min * (1 - share) + max * share;
      return at > min && at <= max ? at : max;
    }

    /** Puts the rows below the cut first; returns where the others begin. */
    private int part(int f, double at, int from, int to) {
      int middle = from;
      for (int i = from; i < to; i++) {
        if (rows[i][f] < at) {
          double[] row = rows[i];
          rows[i] = rows[middle];
          rows[middle++] = row;
        }
      }
      return middle;
    }

    private double path(double[] row) {
      int node = 0;
      int depth = 0;
      while (feature[node] != LEAF) {
        node = row[feature[node]] < cut[node] ? left[node] : right[node];
        depth++;
      }
      return depth + rest[node];
    }
  }
}
