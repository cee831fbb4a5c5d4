package io.rapport.monitoring.alert;

import java.time.Instant;
import java.util.UUID;

/**
 * What the detection knows of a prediction.
 *
 * @param judged whether it was looked at before, or scored by its sender
 */
record Observed(UUID id, double value, int featureCount, Instant predictedAt, boolean judged) {}
