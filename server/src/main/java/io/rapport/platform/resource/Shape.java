package io.rapport.platform.resource;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import java.util.Optional;

/** The fields of a request or response, found by their names or types. */
final class Shape {
  private final Message prototype;
  private final Descriptor type;

  Shape(Message prototype) {
    this.prototype = prototype;
    this.type = prototype.getDescriptorForType();
  }

  Message prototype() {
    return prototype;
  }

  Accessor field(String name) {
    return optional(name)
        .orElseThrow(() -> new IllegalStateException(type.getFullName() + " has no field " + name));
  }

  Optional<Accessor> optional(String name) {
    return Optional.ofNullable(type.findFieldByName(name))
        .map(field -> new Accessor(prototype, field));
  }

  FieldDescriptor descriptor(String name) {
    FieldDescriptor field = type.findFieldByName(name);
    if (field == null) {
      throw new IllegalStateException(type.getFullName() + " has no field " + name);
    }
    return field;
  }

  /** The field whose type is this message. */
  FieldDescriptor holding(Descriptor message) {
    return type.getFields().stream()
        .filter(it -> it.getJavaType() == FieldDescriptor.JavaType.MESSAGE)
        .filter(it -> it.getMessageType().getFullName().equals(message.getFullName()))
        .findFirst()
        .orElseThrow(() ->
            new IllegalStateException(
                type.getFullName() + " has no field of type " + message.getFullName()));
  }

  Accessor accessor(FieldDescriptor field) {
    return new Accessor(prototype, field);
  }

  /** The shape of a message field. */
  Shape inner(String name) {
    return new Shape((Message) field(name).get(prototype));
  }

  Descriptor type() {
    return type;
  }
}
