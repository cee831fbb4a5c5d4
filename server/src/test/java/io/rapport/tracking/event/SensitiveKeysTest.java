package io.rapport.tracking.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SensitiveKeysTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "password",
        "PASSWORD",
        "userPassword",
        "user_password",
        "password2",
        "pwd",
        "token",
        "accessToken",
        "access-token",
        "JWTToken",
        "JWTtoken",
        "apiKey",
        "api_key",
        "APIKey",
        "APIkey",
        "API_KEY",
        "x.api.key",
        "credit_card",
        "creditCard",
        "cardNumber",
        "auth",
        "Authorization",
        "ssn",
        "SSN",
        "user ssn",
        "social_security_number",
        "cvv",
        "pin",
        "iban",
        "secret",
        "clientSecret",
        "key1",
        "my🔑key"
      })
  void dropsKeysOfWhichAWordNamesASecret(String key) {
    assertThat(SensitiveKeys.isSensitive(key)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "keyboard",
        "monkey",
        "shipping",
        "discard",
        "cardinal",
        "author",
        "pinned",
        "opinion",
        "tokenize",
        "passenger",
        "turkey",
        "Keyboard",
        "isAuthor",
        "SPINNER",
        "",
        "1",
        "_",
        "repository",
        "secretary",
        "Discard",
        "hotkeys",
        "MyKeyboard"
      })
  void keepsKeysThatOnlyLookLikeIt(String key) {
    assertThat(SensitiveKeys.isSensitive(key)).isFalse();
  }
}
