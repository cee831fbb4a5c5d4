package io.rapport.delivery;

import io.rapport.platform.v1.UpsertOutcome;
import io.rapport.platform.v1.UpsertOutcome.Result;

/** What was done with what was to be there as it was sent, and what is there now. */
record Put<T>(Result result, T entity) {
  UpsertOutcome outcome(String id, String etag) {
    return UpsertOutcome.newBuilder().setResult(result).setId(id).setEtag(etag).build();
  }
}
