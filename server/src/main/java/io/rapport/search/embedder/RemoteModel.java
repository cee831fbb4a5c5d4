package io.rapport.search.embedder;

import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A model behind an HTTP endpoint.
 *
 * @param url what {@code /embeddings} is added to
 * @param model its name, at the endpoint and for tenants
 * @param dimensions how many numbers its vectors have
 * @param shorten whether the endpoint is asked for so many numbers, or makes them by itself
 * @param key sent as a bearer token, if there is no file with one; empty: none
 * @param keyFile the file with the key, which is read anew for each request
 * @param batch how many texts one request has at most
 * @param timeout how long one try may take
 */
public record RemoteModel(
    URI url,
    String model,
    int dimensions,
    boolean shorten,
    String key,
    @Nullable Path keyFile,
    int batch,
    Duration timeout) {

  /** Says nothing of the key. */
  @Override
  public String toString() {
    return "%s at %s".formatted(model, url);
  }
}
