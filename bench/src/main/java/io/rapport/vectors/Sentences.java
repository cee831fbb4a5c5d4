package io.rapport.vectors;

import io.rapport.importer.EventFile;
import io.rapport.tracking.v1.Event;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What people wrote of their commits. First some subjects that occur in nothing that follows, as
 * questions; then the other subjects, then pairs of subjects that one person wrote one after the
 * other in one repository, then subjects with the repository's name: each text once. The last two
 * lie near the first, so there are more close neighbours to tell apart than among subjects alone.
 */
final class Sentences {
  private static final Pattern REPOSITORY = Pattern.compile("\"repository\" *: *\"([^\"]+)\"");

  /** One in so many subjects is a question. */
  private static final int ONE_IN = 60;

  private final SequencedSet<String> questions = new LinkedHashSet<>();
  private final SequencedSet<String> subjects = new LinkedHashSet<>();
  private final SequencedSet<String> pairs = new LinkedHashSet<>();
  private final SequencedSet<String> named = new LinkedHashSet<>();
  private final Map<String, String> before = new HashMap<>();

  private Sentences() {}

  /** So many questions, and after them all other texts. */
  static List<String> of(Path events, int questions) throws IOException {
    Sentences all = new Sentences();
    EventFile.read(events, "vectors").forEach(all::add);
    if (all.questions.size() < questions) {
      throw new IOException(events + " has only " + all.questions.size() + " subjects to ask for");
    }
    SequencedSet<String> texts = new LinkedHashSet<>(all.subjects);
    texts.addAll(all.pairs);
    texts.addAll(all.named);
    List<String> ordered = new ArrayList<>(all.questions.stream().limit(questions).toList());
    ordered.addAll(texts);
    return ordered;
  }

  private void add(Event event) {
    String subject = event.getText().strip();
    Matcher repository = REPOSITORY.matcher(event.getDataJson().toStringUtf8());
    if (subject.isEmpty() || !repository.find()) {
      return;
    }
    if (Math.floorMod(subject.hashCode() * 0x9E3779B9, ONE_IN) == 0) {
      questions.add(subject);
      return;
    }
    subjects.add(subject);
    named.add(repository.group(1) + ": " + subject);
    String last = before.put(event.getIdentity().getSubject() + repository.group(1), subject);
    if (last != null) {
      pairs.add(last + "\n" + subject);
    }
  }
}
