package io.rapport.versioning;

import io.rapport.platform.UnitOfWork;

/**
 * How what belongs to versioning is written.
 *
 * @param plain as in other areas
 * @param callers those of callers that hold the head from the beginning
 * @param service those that nobody asked for
 */
public record Writes(UnitOfWork plain, CallerWrites callers, ServiceWrites service) {
  public Writes(UnitOfWork plain, ServiceWrites service) {
    this(plain, new CallerWrites(plain), service);
  }
}
