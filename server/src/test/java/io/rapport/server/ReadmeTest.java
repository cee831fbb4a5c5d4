package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.net.URI;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.JavaFileObject.Kind;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** The Java that the README shows is compiled and run. */
class ReadmeTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final Pattern SNIPPET = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);
  private static final String IMPORTS =
      """
      import com.google.protobuf.*;
      import io.rapport.client.*;
      import io.rapport.identity.v1.*;
      import io.rapport.platform.v1.*;
      import io.rapport.tracking.v1.*;
      """;

  @TempDir Path classes;

  @Test
  void firstCallRecordsAnEventAndListsIt() throws Exception {
    String printed = run(0);

    assertThat(printed.lines()).containsExactly("RECORDED", "page_view");
  }

  @Test
  void writerRecordsEveryEvent() throws Exception {
    String printed = run(1);

    assertThat(printed).contains("recorded=10000");
  }

  @Test
  void watchTellsWhatIsRecordedMeanwhile() throws Exception {
    String printed = run(2);

    assertThat(printed.lines()).contains("event RECORDED").last().asString().startsWith("resume");
  }

  @Test
  void thereAreNoOtherSnippets() throws IOException {
    assertThat(snippets()).hasSize(3);
  }

  private static List<String> snippets() throws IOException {
    String readme = Files.readString(Path.of("../README.md"));
    return SNIPPET.matcher(readme).results().map(found -> found.group(1)).toList();
  }

  private String run(int index) throws Exception {
    String address = "127.0.0.1:" + rapport.port();
    String body = snippets().get(index).replace("127.0.0.1:9090", address);
    String name = "Snippet" + index;
    compile(name, IMPORTS + "public class " + name + " { public static void run() {" + body + "}}");
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream before = System.out;
    try (URLClassLoader loader = new URLClassLoader(new URL[] {classes.toUri().toURL()})) {
      System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
      loader.loadClass(name).getMethod("run").invoke(null);
    } finally {
      System.setOut(before);
    }
    return printed.toString(StandardCharsets.UTF_8);
  }

  private void compile(String name, String source) {
    var file =
        new SimpleJavaFileObject(URI.create("string:///" + name + ".java"), Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return source;
          }
        };
    List<String> options =
        Stream.of("-d", classes.toString(), "-cp", System.getProperty("java.class.path")).toList();
    List<Object> errors = new ArrayList<>();
    boolean compiled =
        ToolProvider.getSystemJavaCompiler()
            .getTask(null, null, errors::add, options, null, List.of(file))
            .call();
    assertThat(compiled).as(errors.toString()).isTrue();
  }
}
