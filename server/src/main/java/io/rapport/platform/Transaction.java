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
  private final List<Change> changes = new ArrayList<>();

  Transaction(Caller.Tenant tenant, DSLContext dsl) {
    this.tenant = tenant;
    this.dsl = dsl;
  }

  public UUID tenant() {
    return tenant.id();
  }

  public DSLContext dsl() {
    return dsl;
  }

  /** Says what changed, so that it is logged and others can do what follows from it. */
  public void changed(Change change) {
    changes.add(change);
  }

  List<Change> changes() {
    return Collections.unmodifiableList(changes);
  }
}
