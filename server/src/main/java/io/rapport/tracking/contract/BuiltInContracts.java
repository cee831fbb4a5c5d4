package io.rapport.tracking.contract;

import static java.util.stream.Collectors.toUnmodifiableMap;

import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.FieldRule;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The contracts of the types that the service knows. They only stamp: a sender that was there
 * before a contract must not lose events by it.
 */
final class BuiltInContracts {
  static final int VERSION = 0;

  private static final Map<String, ReadyContract> CONTRACTS =
      Stream.concat(
              Stream.of(
                  of("page_view", required("page_url")),
                  of(
                      "recommendation_interaction",
                      required("recommendation_id"),
                      interaction("view", "click", "dismiss", "implement", "helpful", "not_helpful")
                          .setRequired(true)),
                  of(
                      "purchase",
                      required("product_id"),
                      interaction("view", "add_to_cart", "purchase", "remove_from_cart")
                          .setRequired(true)),
                  of(
                      "goal_modification",
                      required("goal_id"),
                      interaction("create", "update", "delete", "achieve").setRequired(true)),
                  of("transaction_interaction", interaction("create", "view", "analyze"))),
              Stream.of(
                      "transaction_creation",
                      "recommendation_view",
                      "recommendation_feedback",
                      "financial_state_view",
                      "insights_view",
                      "history_view",
                      "transaction_view",
                      "wallet_view",
                      "analytics_view",
                      "health_summary_view",
                      "balance_history_view",
                      "monthly_summary_view",
                      "product_browse",
                      "product_purchase",
                      "product_search",
                      "category_browse",
                      "popular_products_view")
                  .map(BuiltInContracts::of))
          .collect(toUnmodifiableMap(it -> it.contract().getEventType(), it -> it));

  private BuiltInContracts() {}

  static @Nullable ReadyContract find(String type) {
    return CONTRACTS.get(type);
  }

  static Collection<ReadyContract> all() {
    return CONTRACTS.values();
  }

  private static ReadyContract of(String type, FieldRule.Builder... rules) {
    EventContract.Builder contract =
        EventContract.newBuilder().setEventType(type).setVersion(VERSION).setMode(Mode.STAMP);
    List.of(rules).forEach(contract::addFields);
    return new ReadyContract(contract.build());
  }

  private static FieldRule.Builder required(String path) {
    return FieldRule.newBuilder().setPath(path).setRequired(true);
  }

  private static FieldRule.Builder interaction(String... values) {
    return FieldRule.newBuilder()
        .setPath("interaction_type")
        .setType(FieldRule.Type.STRING)
        .addAllValues(List.of(values));
  }
}
