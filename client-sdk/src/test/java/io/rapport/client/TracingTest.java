package io.rapport.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.File;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** OpenTelemetry is the application's to bring along. */
final class TracingTest {
  private static final String TELEMETRY = "io.opentelemetry.api.OpenTelemetry";

  @Test
  void tracesCallsWithTheLibrary() {
    assertThat(Tracing.global()).isPresent();
  }

  @Test
  void worksWithoutTheLibrary() throws Exception {
    URL[] jars =
        classPath()
            .filter(it -> !it.contains("opentelemetry"))
            .map(TracingTest::url)
            .toArray(URL[]::new);
    try (URLClassLoader loader = new URLClassLoader(jars, ClassLoader.getPlatformClassLoader())) {
      assertThat(isThere(loader)).isFalse();
      var tracing = loader.loadClass(Tracing.class.getName()).getDeclaredMethod("global");
      tracing.setAccessible(true);
      assertThat(tracing.invoke(null)).isEqualTo(Optional.empty());

      Class<?> type = loader.loadClass(RapportClient.class.getName());
      Object client = type.getMethod("connect", String.class).invoke(null, "127.0.0.1:1");
      type.getMethod("close").invoke(client);
    }
  }

  private static boolean isThere(ClassLoader loader) {
    try {
      loader.loadClass(TELEMETRY);
      return true;
    } catch (ClassNotFoundException absent) {
      return false;
    }
  }

  private static Stream<String> classPath() {
    return List.of(System.getProperty("java.class.path").split(File.pathSeparator)).stream();
  }

  private static URL url(String path) {
    try {
      return Path.of(path).toUri().toURL();
    } catch (MalformedURLException impossible) {
      throw new IllegalStateException(impossible);
    }
  }
}
