/** Alerts about models, and finding anomalies among their predictions. */
@NullMarked
package io.rapport.monitoring.alert;

import org.jspecify.annotations.NullMarked;
