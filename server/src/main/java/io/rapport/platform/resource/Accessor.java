package io.rapport.platform.resource;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Message;
import java.lang.invoke.LambdaMetafactory;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.function.BiConsumer;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Reads and sets one field of a generated message. Its methods are looked up once, and called as
 * code that was written by hand would call them. Enums are numbers, and repeated fields are added
 * to.
 */
final class Accessor {
  private static final MethodHandles.Lookup LOOKUP = MethodHandles.lookup();

  private final Function<Object, Object> getter;
  private final BiConsumer<Object, Object> setter;
  private final @Nullable Function<Object, Object> presence;

  /**
   * @param type a message of the type that has the field
   */
  Accessor(Message type, FieldDescriptor field) {
    String name = camelCase(field.getName());
    String value = field.getJavaType() == JavaType.ENUM && !field.isRepeated() ? "Value" : "";
    Class<?> message = type.getClass();
    Class<?> builder = type.newBuilderForType().getClass();
    this.getter = getter(method(message, "get" + name + (field.isRepeated() ? "List" : value), 0));
    this.setter =
        setter(builder, method(builder, (field.isRepeated() ? "addAll" : "set") + name + value, 1));
    this.presence = field.hasPresence() ? getter(method(message, "has" + name, 0)) : null;
  }

  /** The field's value, which is its type's default if it isn't set. */
  Object get(Message message) {
    return getter.apply(message);
  }

  /** Whether the field is set; of a field that can't tell, whether it has another value than 0. */
  boolean isSet(Message message) {
    if (presence != null) {
      return (Boolean) presence.apply(message);
    }
    Object value = getter.apply(message);
    return switch (value) {
      case String text -> !text.isEmpty();
      case Boolean yes -> yes;
      case Number number -> number.doubleValue() != 0;
      case Iterable<?> values -> values.iterator().hasNext();
      default -> true;
    };
  }

  void set(Message.Builder builder, Object value) {
    setter.accept(builder, value);
  }

  private static String camelCase(String name) {
    StringBuilder camel = new StringBuilder();
    boolean upper = true;
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      if (c != '_') {
        camel.append(upper ? Character.toUpperCase(c) : c);
      }
      upper = c == '_' || Character.isDigit(c);
    }
    return camel.toString();
  }

  private static Method method(Class<?> type, String name, int parameters) {
    return Arrays.stream(type.getMethods())
        .filter(it -> it.getName().equals(name) && it.getParameterCount() == parameters)
        .filter(it -> !it.isBridge() && !takesBuilder(it))
        .findFirst()
        .orElseThrow(() -> new IllegalStateException(type.getName() + " has no " + name));
  }

  private static boolean takesBuilder(Method method) {
    return Arrays.stream(method.getParameterTypes())
        .anyMatch(Message.Builder.class::isAssignableFrom);
  }

  @SuppressWarnings("unchecked")
  private static Function<Object, Object> getter(Method method) {
    return (Function<Object, Object>)
        linked(
            Function.class,
            "apply",
            MethodType.methodType(Object.class, Object.class),
            method,
            MethodType.methodType(boxed(method.getReturnType()), method.getDeclaringClass()));
  }

  @SuppressWarnings("unchecked")
  private static BiConsumer<Object, Object> setter(Class<?> builder, Method method) {
    return (BiConsumer<Object, Object>)
        linked(
            BiConsumer.class,
            "accept",
            MethodType.methodType(void.class, Object.class, Object.class),
            method,
            MethodType.methodType(void.class, builder, boxed(method.getParameterTypes()[0])));
  }

  private static Object linked(
      Class<?> function, String name, MethodType erased, Method method, MethodType actual) {
    try {
      MethodHandle handle = LOOKUP.unreflect(method);
      return LambdaMetafactory.metafactory(
              LOOKUP, name, MethodType.methodType(function), erased, handle, actual)
          .getTarget()
          .invoke();
    } catch (Throwable e) {
      throw new IllegalStateException(method + " can't be linked", e);
    }
  }

  private static Class<?> boxed(Class<?> type) {
    return MethodType.methodType(type).wrap().returnType();
  }
}
