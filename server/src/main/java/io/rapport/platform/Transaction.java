package io.rapport.platform;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.UUID;
import org.jooq.DSLContext;

/** A write under way: where its rows go, and what it says that it changed. */
public final class Transaction {
  private final Caller.Tenant tenant;
  private final DSLContext dsl;
  private final boolean trial;
  private final List<Change> changes = new ArrayList<>();

  /**
   * @param trial whether it is going to be undone
   */
  Transaction(Caller.Tenant tenant, DSLContext dsl, boolean trial) {
    this.tenant = tenant;
    this.dsl = dsl;
    this.trial = trial;
  }

  public UUID tenant() {
    return tenant.id();
  }

  public DSLContext dsl() {
    return dsl;
  }

  /** Whether it is only tried out, and going to be undone. */
  public boolean isTrial() {
    return trial;
  }

  /** Says what changed, so that it is logged and others can do what follows from it. */
  public void changed(Change change) {
    changes.add(change);
  }

  List<Change> changes() {
    return Collections.unmodifiableList(changes);
  }
}
