package io.rapport.client;

import io.rapport.caching.v1.Dependency;
import io.rapport.caching.v1.EntryInfo;
import io.rapport.caching.v1.ReadOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;

/**
 * What a {@link CacheLoader} is asked for, and what it can say of its value. For the loader's
 * thread alone, and until it returns.
 */
public final class LoadContext<K> {
  private final K key;
  private final ComputeOptions options;
  private final EntryInfo.Builder info;
  private final Set<Dependency> dependencies;

  LoadContext(K key, ComputeOptions options) {
    this.key = key;
    this.options = options;
    ReadOptions read = options.read();
    this.info = EntryInfo.newBuilder().setContentHash(read.getContentHash());
    this.dependencies = new LinkedHashSet<>(options.dependencies());
  }

  /** The key whose value is wanted. */
  public K key() {
    return key;
  }

  /**
   * Says that the value depends on this too, beside the dependencies of the options and those that
   * go without saying. Best before it is read: a change that comes later makes the value invalid.
   *
   * @param dependency one that was named before counts once; at most 32 in all
   */
  public LoadContext<K> dependsOn(Dependency dependency) {
    dependencies.add(dependency);
    return this;
  }

  /** The same for several. */
  public LoadContext<K> dependsOn(Collection<Dependency> several) {
    dependencies.addAll(several);
    return this;
  }

  /**
   * What is kept beside the value, to be filled in: confidence, content hash, provider, model,
   * parameters, and times if they differ from those of the options. The generation time is measured
   * and set afterwards.
   */
  public EntryInfo.Builder info() {
    return info;
  }

  /** All that was said, for a value that took so long and is kept from now on. */
  EntryInfo info(Duration took, Instant now) {
    dependencies.addAll(info.getDependenciesList());
    EntryInfo.Builder all = info.clone().clearDependencies().addAllDependencies(dependencies);
    all.setGenerationTime(Times.duration(took));
    Duration lifetime = options.lifetime();
    if (lifetime != null && !all.hasExpiresAt()) {
      all.setExpiresAt(Times.timestamp(now.plus(lifetime)));
    }
    Duration refreshAfter = options.refreshAfter();
    if (refreshAfter != null && !all.hasRefreshAfter()) {
      all.setRefreshAfter(Times.timestamp(now.plus(refreshAfter)));
    }
    return all.build();
  }
}
