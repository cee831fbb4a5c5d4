package io.rapport.search.embedder;

import io.rapport.search.Embedder;
import io.rapport.search.Embedders;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Builds what this server makes vectors of texts with. */
public final class EmbedderFeature {
  private EmbedderFeature() {}

  /**
   * What it is set to.
   *
   * @param local whether it has the model that comes with it
   * @param threads how many threads work at one text of that
   * @param remote the model behind an endpoint, if there is one
   */
  public record Settings(boolean local, int threads, @Nullable RemoteModel remote) {}

  public static Embedders embedders(Settings settings, Clock clock) {
    List<Embedder> all = new ArrayList<>();
    if (settings.local()) {
      all.add(new LocalEmbedder(settings.threads()));
    }
    if (settings.remote() != null) {
      all.add(new RemoteEmbedder(settings.remote(), clock));
    }
    return new Embedders(all);
  }
}
