package io.rapport.identity;

import io.rapport.identity.v1.SystemSetting;
import io.rapport.platform.ServiceException;
import io.rapport.platform.resource.Rule;
import io.rapport.platform.v1.ErrorReason;
import tools.jackson.core.JacksonException;
import tools.jackson.core.JsonParser;
import tools.jackson.core.ObjectReadContext;
import tools.jackson.core.json.JsonFactory;

/** A setting's value is of its type. */
final class SettingRule implements Rule<SystemSetting> {
  private static final JsonFactory JSON = new JsonFactory();

  @Override
  public void check(SystemSetting setting, String path) {
    String value = setting.getSettingValue();
    boolean holds =
        switch (setting.getSettingType()) {
          case INTEGER -> value.matches("[+-]?[0-9]{1,100}");
          case BOOLEAN -> value.equals("true") || value.equals("false");
          case DECIMAL -> value.matches("[+-]?[0-9]{1,100}([.][0-9]{1,100})?");
          case JSON -> isJson(value);
          case STRING, TYPE_UNSPECIFIED, UNRECOGNIZED -> true;
        };
    if (!holds) {
      throw ServiceException.invalid(
          path + ".setting_value",
          ErrorReason.INVALID_FIELD,
          "must be of the type " + setting.getSettingType());
    }
  }

  /** Whether the text is one JSON value. */
  private static boolean isJson(String text) {
    try (JsonParser in = JSON.createParser(ObjectReadContext.empty(), text)) {
      if (in.nextToken() == null) {
        return false;
      }
      in.skipChildren();
      return in.nextToken() == null;
    } catch (JacksonException e) {
      return false;
    }
  }
}
