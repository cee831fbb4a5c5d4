package io.rapport.faults;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What the things of a tenant are called; {@code %User%} in a text stands for one of them. */
record Names(Map<String, String> values) {
  private static final List<String> OTHERS = List.of("tenant", "event", "held", "token", "dataset");

  /** Names that nothing has yet, also for one entity of each kind. */
  static Names invented(Collection<String> kinds) {
    Map<String, String> values = new HashMap<>();
    kinds.forEach(kind -> values.put(kind, Make.id()));
    OTHERS.forEach(thing -> values.put(thing, Make.id()));
    values.put("tag", "x" + Make.id().replace("-", ""));
    return new Names(values);
  }

  /** The same with a name that was given by the service. */
  Names with(String thing, String name) {
    Map<String, String> more = new HashMap<>(values);
    more.put(thing, name);
    return new Names(more);
  }

  String fill(String text) {
    String filled = text;
    for (Map.Entry<String, String> name : values.entrySet()) {
      filled = filled.replace("%" + name.getKey() + "%", name.getValue());
    }
    return filled;
  }

  /** The text without the names, but with whose thing of which kind was named. */
  String hide(String text, String whose) {
    String hidden = text;
    for (Map.Entry<String, String> name : values.entrySet()) {
      hidden = hidden.replace(name.getValue(), whose + " " + name.getKey());
    }
    return hidden;
  }

  /** The names that are in a text. */
  List<String> in(String text) {
    return values.values().stream().filter(text::contains).toList();
  }
}
