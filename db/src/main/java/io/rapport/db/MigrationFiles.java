package io.rapport.db;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The files that make a schema, version by version, and those that take each version back. */
final class MigrationFiles {
  private static final String FORWARD = "db/migration";
  private static final String BACK = "db/rollback";
  private static final Pattern NAME = Pattern.compile("[VU](\\d+)__\\w+\\.sql");

  private final List<String> locations;
  private final SortedMap<Integer, Script> forward;
  private final SortedMap<Integer, Script> back;

  private MigrationFiles(
      List<String> locations, SortedMap<Integer, Script> forward, SortedMap<Integer, Script> back) {
    this.locations = locations;
    this.forward = forward;
    this.back = back;
  }

  /** Those of this build. */
  static MigrationFiles ofThisBuild() {
    return new MigrationFiles(List.of("classpath:" + FORWARD), resources(FORWARD), resources(BACK));
  }

  /** These and those in two directories. */
  MigrationFiles plus(Path moreForward, Path moreBack) {
    SortedMap<Integer, Script> allForward = new TreeMap<>(forward);
    SortedMap<Integer, Script> allBack = new TreeMap<>(back);
    allForward.putAll(scripts(moreForward));
    allBack.putAll(scripts(moreBack));
    return new MigrationFiles(
        Stream.concat(locations.stream(), Stream.of("filesystem:" + moreForward)).toList(),
        allForward,
        allBack);
  }

  /** Where Flyway finds the forward files. */
  List<String> locations() {
    return locations;
  }

  SortedMap<Integer, Script> forward() {
    return forward;
  }

  SortedMap<Integer, Script> back() {
    return back;
  }

  int newest() {
    return forward.isEmpty() ? 0 : forward.lastKey();
  }

  private static SortedMap<Integer, Script> resources(String folder) {
    URL url = MigrationFiles.class.getClassLoader().getResource(folder);
    if (url == null) {
      throw new IllegalStateException("this build lacks its folder " + folder);
    }
    try {
      URI uri = url.toURI();
      if (!"jar".equals(uri.getScheme())) {
        return scripts(Path.of(uri));
      }
      Path jar = Path.of(URI.create(uri.getSchemeSpecificPart().replaceFirst("!.*$", "")));
      try (FileSystem files = FileSystems.newFileSystem(jar, Map.of())) {
        return scripts(files.getPath(folder));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } catch (URISyntaxException e) {
      throw new IllegalStateException(e);
    }
  }

  private static SortedMap<Integer, Script> scripts(Path folder) {
    SortedMap<Integer, Script> scripts = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Script script = script(file);
        if (scripts.put(script.version(), script) != null) {
          throw new MigrationException("two files have the version " + script.version());
        }
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return scripts;
  }

  private static Script script(Path path) throws IOException {
    String file = path.getFileName() + "";
    Matcher matcher = NAME.matcher(file);
    if (!matcher.matches()) {
      throw new MigrationException(file + " isn't named like V0001__create_thing.sql");
    }
    return new Script(Integer.parseInt(matcher.group(1)), file, Files.readString(path));
  }
}
