package io.rapport.versioning.model;

import static io.rapport.db.generated.versioning.Tables.PROMOTION_POLICIES;

import java.util.UUID;
import org.jooq.DSLContext;

/** Policies in PostgreSQL. */
final class PolicyStore {
  /** The tenant's policy for a model type, or the usual one. */
  Policy find(DSLContext dsl, UUID tenant, String modelType) {
    return dsl.selectFrom(PROMOTION_POLICIES)
        .where(
            PROMOTION_POLICIES.TENANT_ID.eq(tenant),
            PROMOTION_POLICIES.MODEL_TYPE.eq(modelType),
            PROMOTION_POLICIES.ACTIVE.eq(true))
        .fetchOptional()
        .map(row ->
            new Policy(
                row.getValidationFactor(),
                row.getMinimumDataQuality(),
                row.getMinimumTrainingSamples(),
                row.getRequireApproval(),
                row.getRequireDigest(),
                row.getBlockOnAlerts(),
                row.getRollbackShare(),
                row.getRollbackMinimumSamples(),
                row.getStaleAfterSeconds()))
        .orElse(Policy.USUAL);
  }
}
