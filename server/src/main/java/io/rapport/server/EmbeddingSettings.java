package io.rapport.server;

import static io.rapport.server.ServerConfig.require;

import io.rapport.search.Embedder;
import io.rapport.search.embedder.EmbedderFeature;
import io.rapport.search.embedder.RemoteModel;
import io.rapport.search.embedding.EmbeddingFeature;
import io.rapport.server.ServerConfig.InvalidConfigException;
import io.rapport.server.ServerConfig.Source;
import io.rapport.server.ServerConfig.Variable;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The settings of what makes vectors of texts. */
record EmbeddingSettings(Source source) {
  private static final String NONE = "none";
  private static final String LOCAL = "local";
  private static final String REMOTE = "openai";
  private static final int MAX_NAME = 200;

  EmbedderFeature.Settings embedders() {
    Set<String> names = names();
    return new EmbedderFeature.Settings(
        names.contains(LOCAL),
        source.number(Variable.EMBEDDING_THREADS, 1, 64),
        names.contains(REMOTE) ? remote() : noRemote());
  }

  EmbeddingFeature.Settings embedding() {
    boolean stale = source.flag(Variable.EMBED_STALE);
    require(
        !stale || !names().contains(NONE),
        Variable.EMBED_STALE.key() + " needs " + Variable.EMBEDDERS.key());
    return new EmbeddingFeature.Settings(
        stale,
        source.number(Variable.EMBED_WORKERS, 1, 32),
        source.number(Variable.EMBED_TEXTS_PER_SECOND, 0, 1_000_000));
  }

  /** In development, what works without anything else, unless it is set otherwise. */
  private Set<String> names() {
    String text = source.text(Variable.EMBEDDERS);
    if (text.isEmpty()) {
      return Set.of(source.flag(Variable.DEVELOPMENT) ? LOCAL : NONE);
    }
    List<String> names = List.of(text.split(",", -1));
    boolean known = Set.of(NONE, LOCAL, REMOTE).containsAll(names);
    boolean sound = Set.copyOf(names).size() == names.size();
    require(
        known && sound && (names.size() == 1 || !names.contains(NONE)),
        Variable.EMBEDDERS.key() + " must be none, local, openai or local,openai");
    return Set.copyOf(names);
  }

  private @Nullable RemoteModel noRemote() {
    for (Variable variable :
        List.of(
            Variable.EMBEDDING_URL,
            Variable.EMBEDDING_MODEL,
            Variable.EMBEDDING_KEY,
            Variable.EMBEDDING_KEY_FILE)) {
      require(
          source.text(variable).isEmpty(),
          variable.key() + " is set, but " + Variable.EMBEDDERS.key() + " doesn't name openai");
    }
    return null;
  }

  private RemoteModel remote() {
    String model = source.text(Variable.EMBEDDING_MODEL);
    require(
        !model.isEmpty() && model.length() <= MAX_NAME,
        Variable.EMBEDDING_MODEL.key() + " must name the model, in 1 to 200 characters");
    return new RemoteModel(
        url(),
        model,
        source.number(Variable.EMBEDDING_DIMENSIONS, 1, Embedder.DIMENSIONS),
        source.flag(Variable.EMBEDDING_SHORTEN),
        key(),
        source.file(Variable.EMBEDDING_KEY_FILE),
        source.number(Variable.EMBEDDING_BATCH, 1, 2048),
        Duration.ofMillis(source.number(Variable.EMBEDDING_TIMEOUT_MS, 100, 300_000)));
  }

  private URI url() {
    String message =
        Variable.EMBEDDING_URL.key() + " must be a URL such as https://api.openai.com/v1";
    String text = source.text(Variable.EMBEDDING_URL);
    require(text.matches("https?://[^/?#@]+[^?#@]*"), message);
    try {
      return new URI(text);
    } catch (URISyntaxException e) {
      throw new InvalidConfigException(message);
    }
  }

  private String key() {
    String key = source.text(Variable.EMBEDDING_KEY);
    require(
        key.chars().allMatch(c -> c > ' ' && c <= '~'),
        Variable.EMBEDDING_KEY.key() + " must be of printable ASCII without spaces");
    return key;
  }
}
