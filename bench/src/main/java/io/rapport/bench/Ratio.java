package io.rapport.bench;

import java.util.List;

/** Something that is measured, with its peer where it has one. */
interface Ratio {
  List<Result> measure(Site site, Samples samples, Settings settings) throws Exception;
}
