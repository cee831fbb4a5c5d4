package io.rapport.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.rapport.client.AbortedException;
import io.rapport.client.InvalidArgumentException;
import io.rapport.client.SettingsClient;
import io.rapport.identity.v1.ListSystemSettingsRequest;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingFilter;
import io.rapport.platform.v1.ErrorReason;
import io.rapport.platform.v1.TextFilter;
import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.platform.v1.UpsertOutcome.Result;
import io.rapport.server.Rapport;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** An entity that is data and one rule, through the SDK. */
class SettingTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  @Test
  void keepsASetting() {
    SystemSetting made =
        settings().create(setting("theme.default", SystemSetting.Type.STRING, "dark"));

    assertThat(settings().byKey("theme.default")).contains(made);
    assertThat(settings().get(made.getId())).contains(made);
    assertThat(settings().byKey("theme")).isEmpty();
  }

  @Test
  void takesValuesOfTheirTypeOnly() {
    for (SystemSetting good :
        List.of(
            setting("a", SystemSetting.Type.INTEGER, "-12"),
            setting("b", SystemSetting.Type.BOOLEAN, "true"),
            setting("c", SystemSetting.Type.DECIMAL, "3.50"),
            setting("d", SystemSetting.Type.JSON, "{\"a\":[1,null]}"),
            setting("e", SystemSetting.Type.JSON, "7"),
            setting("f", SystemSetting.Type.TYPE_UNSPECIFIED, "text"))) {
      assertThat(settings().create(good).getSettingValue()).isEqualTo(good.getSettingValue());
    }
    for (SystemSetting bad :
        List.of(
            setting("x", SystemSetting.Type.INTEGER, "1.5"),
            setting("x", SystemSetting.Type.BOOLEAN, "TRUE"),
            setting("x", SystemSetting.Type.DECIMAL, "1,5"),
            setting("x", SystemSetting.Type.JSON, "{\"a\":"),
            setting("x", SystemSetting.Type.JSON, "1 2"))) {
      assertThat(fields(() -> settings().create(bad)))
          .containsExactly("system_setting.setting_value");
    }
    assertThat(settings().byKey("x")).isEmpty();
  }

  @Test
  void checksWhatAChangeLeavesBehind() {
    SystemSetting made = settings().create(setting("limit", SystemSetting.Type.INTEGER, "10"));

    assertThat(fields(() -> settings().update(change(made).setSettingValue("many").build())))
        .containsExactly("system_setting.setting_value");
    assertThat(
            fields(() ->
                settings().update(change(made).setSettingType(SystemSetting.Type.BOOLEAN).build())))
        .containsExactly("system_setting.setting_value");
    assertThat(
            fields(() ->
                settings()
                    .upsert(
                        List.of(
                            setting("other", SystemSetting.Type.STRING, "x"),
                            setting("limit", SystemSetting.Type.TYPE_UNSPECIFIED, "many")))))
        .containsExactly("system_settings[1].setting_value");

    assertThat(settings().byKey("limit")).contains(made);
    assertThat(settings().byKey("other")).isEmpty();
  }

  @Test
  void upsertsByKey() {
    SystemSetting made = settings().upsert(setting("limit", SystemSetting.Type.INTEGER, "10"));

    List<UpsertOutcome> outcomes =
        settings()
            .upsert(
                List.of(
                    setting("new", SystemSetting.Type.STRING, "x"),
                    setting("limit", SystemSetting.Type.TYPE_UNSPECIFIED, "11")));

    assertThat(outcomes)
        .extracting(UpsertOutcome::getResult)
        .containsExactly(Result.CREATED, Result.UPDATED);
    SystemSetting changed = settings().byKey("limit").orElseThrow();
    assertThat(changed.getId()).isEqualTo(made.getId());
    assertThat(changed.getSettingType()).isEqualTo(SystemSetting.Type.INTEGER);
    assertThat(changed.getSettingValue()).isEqualTo("11");
  }

  @Test
  void listsByKey() {
    for (String key : List.of("mail.to", "mail.from", "limit", "mail_x")) {
      settings().create(setting(key, SystemSetting.Type.STRING, "x"));
    }

    assertThat(settings().list(ListSystemSettingsRequest.newBuilder().setPageSize(2).build()))
        .extracting(SystemSetting::getSettingKey)
        .containsExactly("limit", "mail.from", "mail.to", "mail_x");
    assertThat(
            settings()
                .list(
                    ListSystemSettingsRequest.newBuilder()
                        .setFilter(
                            SystemSettingFilter.newBuilder()
                                .setSettingKey(TextFilter.newBuilder().setPrefix("mail.")))
                        .build()))
        .extracting(SystemSetting::getSettingKey)
        .containsExactly("mail.from", "mail.to");
  }

  @Test
  void tellsOfAStaleEtag() {
    SystemSetting made = settings().create(setting("limit", SystemSetting.Type.INTEGER, "10"));
    settings().update(change(made).setSettingValue("11").build());

    AbortedException stale =
        catchThrowableOfType(
            AbortedException.class,
            () -> settings().update(change(made).setSettingValue("12").build()));

    assertThat(stale.reason()).isEqualTo(ErrorReason.ETAG_MISMATCH);
    settings().delete(made.getId());
    assertThat(settings().byKey("limit").orElseThrow().getActive()).isFalse();
  }

  private static List<String> fields(org.assertj.core.api.ThrowableAssert.ThrowingCallable call) {
    InvalidArgumentException told = catchThrowableOfType(InvalidArgumentException.class, call);
    return told.fieldViolations().stream().map(it -> it.field()).toList();
  }

  private static SettingsClient settings() {
    return rapport.client().settings();
  }

  private static SystemSetting.Builder change(SystemSetting read) {
    return SystemSetting.newBuilder().setId(read.getId()).setEtag(read.getEtag());
  }

  private static SystemSetting setting(String key, SystemSetting.Type type, String value) {
    return SystemSetting.newBuilder()
        .setSettingKey(key)
        .setSettingType(type)
        .setSettingValue(value)
        .build();
  }
}
