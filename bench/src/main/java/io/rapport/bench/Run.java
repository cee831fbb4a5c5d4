package io.rapport.bench;

/** What one run of one side did, and what it took. */
record Run(long events, double seconds, CpuUse cpu) {
  /** Work that is measured; gives how many events it did. */
  interface Work {
    long run() throws Exception;
  }

  static Run of(Site site, Work work) throws Exception {
    System.gc();
    CpuUse before = site.cpu();
    long start = System.nanoTime();
    long events = work.run();
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Run(events, seconds, site.cpu().minus(before));
  }

  double rate() {
    return events / seconds;
  }
}
