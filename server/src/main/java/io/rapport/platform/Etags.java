package io.rapport.platform;

/** Etags: an entity's revision, in quotes. */
public final class Etags {
  private Etags() {}

  public static String of(long revision) {
    return '"' + Long.toString(revision) + '"';
  }
}
