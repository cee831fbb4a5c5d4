package io.rapport.tracking.contract;

import io.rapport.tracking.v1.ContractViolation;
import io.rapport.tracking.v1.ContractViolation.Rule;
import io.rapport.tracking.v1.EventContract;
import io.rapport.tracking.v1.EventContract.Mode;
import io.rapport.tracking.v1.TrackingSettings.UnknownTypes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The contracts that are in force for a tenant, and how it takes unknown types. */
public final class TenantContracts {
  private final Map<String, Optional<ReadyContract>> own = new HashMap<>();
  private final @Nullable Verdict unknown;

  /**
   * @param inForce the contract of each type that the tenant has a say in; empty: none is
   */
  TenantContracts(Map<String, Optional<EventContract>> inForce, UnknownTypes unknownTypes) {
    inForce.forEach((type, contract) -> own.put(type, contract.map(ReadyContract::new)));
    this.unknown = unknown(unknownTypes);
  }

  private static @Nullable Verdict unknown(UnknownTypes types) {
    return switch (types) {
      case REJECT -> unknown(Mode.REJECT);
      case QUARANTINE -> unknown(Mode.QUARANTINE);
      case ACCEPT, UNKNOWN_TYPES_UNSPECIFIED, UNRECOGNIZED -> null;
    };
  }

  private static Verdict unknown(Mode mode) {
    return new Verdict(
        mode,
        null,
        List.of(
            ContractViolation.newBuilder()
                .setRule(Rule.UNKNOWN_TYPE)
                .setDescription("has no contract, and the tenant takes no unknown types")
                .build()));
  }

  /** What an event breaks; null if it breaks nothing. */
  public @Nullable Verdict check(String type, @Nullable Map<String, @Nullable Object> data) {
    Optional<ReadyContract> mine = own.get(type);
    if (mine != null) {
      return mine.isPresent() ? mine.get().check(data) : null;
    }
    ReadyContract known = BuiltInContracts.find(type);
    return known == null ? unknown : known.check(data);
  }

  /** The text of an event that has none of its own; empty if its contract names none. */
  public String text(String type, @Nullable Map<String, @Nullable Object> data) {
    Optional<ReadyContract> mine = own.get(type);
    return mine != null && mine.isPresent() ? mine.get().text(data) : "";
  }

  /** Whether the texts of events of this type are to be found by search. */
  public boolean namesText(String type) {
    Optional<ReadyContract> mine = own.get(type);
    return mine != null && mine.isPresent() && mine.get().namesText();
  }

  /** How much memory they take, in rules. */
  int weight() {
    int weight = 1;
    for (Optional<ReadyContract> contract : own.values()) {
      weight += contract.map(ReadyContract::weight).orElse(1);
    }
    return weight;
  }
}
