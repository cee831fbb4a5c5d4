/** What every area stands on: calls, callers, errors, tenants' database, pages. */
@NullMarked
package io.rapport.platform;

import org.jspecify.annotations.NullMarked;
