package io.rapport.identity;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.FieldMask;
import io.rapport.identity.v1.Tenant;
import io.rapport.platform.Masks;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What an update changes of a tenant.
 *
 * @param sent with the values of the fields
 */
record TenantChange(Tenant sent, List<FieldDescriptor> fields) {
  private static final List<FieldDescriptor> WRITABLE =
      Stream.of(
              Tenant.DISPLAY_NAME_FIELD_NUMBER,
              Tenant.WEBSITE_FIELD_NUMBER,
              Tenant.ASSETS_FOLDER_FIELD_NUMBER,
              Tenant.LOGO_FILENAME_FIELD_NUMBER,
              Tenant.COLOR_SCHEMA_MODE_FIELD_NUMBER,
              Tenant.ACTIVE_FIELD_NUMBER)
          .map(Tenant.getDescriptor()::findFieldByNumber)
          .toList();

  /**
   * @param mask empty: the fields that are set
   */
  static TenantChange of(Tenant sent, FieldMask mask) {
    Set<String> names =
        Masks.isEvery(mask) ? Set.of() : Masks.names(mask, Tenant.getDescriptor(), "update_mask");
    boolean unmasked = mask.getPathsCount() == 0;
    return new TenantChange(
        sent,
        WRITABLE.stream()
            .filter(field ->
                unmasked ? isSet(sent, field) : names.isEmpty() || names.contains(field.getName()))
            .toList());
  }

  private static boolean isSet(Tenant sent, FieldDescriptor field) {
    return sent.getAllFields().containsKey(field);
  }

  String etag() {
    return sent.getEtag();
  }

  /** The tenant as it is to be; what is cleared gets its default when it is stored. */
  Tenant on(Tenant before) {
    Tenant.Builder after = before.toBuilder();
    for (FieldDescriptor field : fields) {
      if (isSet(sent, field)) {
        after.setField(field, sent.getField(field));
      } else {
        after.clearField(field);
      }
    }
    return TenantStore.withDefaults(after.build());
  }
}
