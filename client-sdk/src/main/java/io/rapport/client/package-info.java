/** The service as a Java application uses it; start at {@link io.rapport.client.RapportClient}. */
@NullMarked
package io.rapport.client;

import org.jspecify.annotations.NullMarked;
