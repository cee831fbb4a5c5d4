package io.rapport.faults;

import java.util.List;

/** A promise of the service that can be put to the test. */
interface Promise {
  /** Tests it as built and with the guarantee broken on purpose. */
  List<Verdict> test(Run run) throws Exception;
}
