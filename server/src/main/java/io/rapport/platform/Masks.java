package io.rapport.platform;

import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.FieldMask;
import com.google.protobuf.Message;
import io.rapport.platform.v1.ErrorReason;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.UnaryOperator;

/** Field masks: each path is the name of a field of the message, and of none inside it. */
public final class Masks {
  private static final String READ = "read_mask";
  private static final String EVERY = "*";

  private Masks() {}

  /** Whether the mask names all fields at once. */
  public static boolean isEvery(FieldMask mask) {
    return mask.getPathsList().equals(List.of(EVERY));
  }

  /**
   * The names in a mask, which must be of fields.
   *
   * @param path where the mask stands in the request
   */
  public static Set<String> names(FieldMask mask, Descriptor type, String path) {
    List<String> paths = mask.getPathsList();
    for (int i = 0; i < paths.size(); i++) {
      if (type.findFieldByName(paths.get(i)) == null) {
        throw ServiceException.invalid(
            path + ".paths[" + i + "]",
            ErrorReason.INVALID_FIELD,
            "names no field of " + type.getName());
      }
    }
    return new HashSet<>(paths);
  }

  /** What shows of a message the fields that a read mask names; all if it names none. */
  @SuppressWarnings("unchecked")
  public static <T extends Message> UnaryOperator<T> reading(FieldMask mask, T prototype) {
    if (mask.getPathsCount() == 0 || isEvery(mask)) {
      return UnaryOperator.identity();
    }
    Descriptor type = prototype.getDescriptorForType();
    Set<String> names = names(mask, type, READ);
    List<FieldDescriptor> hidden =
        type.getFields().stream().filter(field -> !isNamed(field, names)).toList();
    return message -> {
      Message.Builder shown = message.toBuilder();
      hidden.forEach(shown::clearField);
      return (T) shown.build();
    };
  }

  /** One of several forms of a value is named by the name of any of them. */
  private static boolean isNamed(FieldDescriptor field, Set<String> names) {
    return names.contains(field.getName())
        || (field.getRealContainingOneof() != null
            && field.getRealContainingOneof().getFields().stream()
                .anyMatch(form -> names.contains(form.getName())));
  }
}
