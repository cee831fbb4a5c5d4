package io.rapport.client;

import java.io.IOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Member;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** What an application can see of the SDK: a line for each class, and one for each member. */
final class Surface {
  private Surface() {}

  static List<String> read() throws IOException, URISyntaxException {
    Path classes =
        Path.of(RapportClient.class.getProtectionDomain().getCodeSource().getLocation().toURI());
    try (Stream<Path> files = Files.walk(classes)) {
      return files
          .map(file -> classes.relativize(file).toString())
          .filter(file -> file.endsWith(".class"))
          .sorted()
          .map(Surface::load)
          .filter(Surface::visible)
          .flatMap(Surface::lines)
          .toList();
    }
  }

  private static Class<?> load(String file) {
    try {
      return Class.forName(file.replaceFirst("\\.class$", "").replace('/', '.'));
    } catch (ClassNotFoundException impossible) {
      throw new IllegalStateException(impossible);
    }
  }

  private static boolean visible(Class<?> type) {
    Class<?> outer = type.getEnclosingClass();
    return shown(type.getModifiers()) && (outer == null || visible(outer));
  }

  private static boolean shown(int modifiers) {
    return Modifier.isPublic(modifiers) || Modifier.isProtected(modifiers);
  }

  private static Stream<String> lines(Class<?> type) {
    List<Member> members = new ArrayList<>();
    members.addAll(List.of(type.getDeclaredFields()));
    members.addAll(List.of(type.getDeclaredConstructors()));
    members.addAll(List.of(type.getDeclaredMethods()));
    Stream<String> shown =
        members.stream()
            .filter(member -> shown(member.getModifiers()) && !member.isSynthetic())
            .map(member -> "  " + generic(member))
            .sorted();
    return Stream.concat(Stream.of(declaration(type)), shown);
  }

  private static String generic(Member member) {
    if (member instanceof Method method) {
      return method.toGenericString();
    }
    return member instanceof Field field
        ? field.toGenericString()
        : ((Constructor<?>) member).toGenericString();
  }

  private static String declaration(Class<?> type) {
    Stream<Type> above =
        Stream.concat(
            Stream.of(type.getGenericSuperclass()), Arrays.stream(type.getGenericInterfaces()));
    String names =
        above.filter(Objects::nonNull).map(Type::getTypeName).collect(Collectors.joining(", "));
    return names.isEmpty() ? type.toGenericString() : type.toGenericString() + " is " + names;
  }
}
