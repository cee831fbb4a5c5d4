/** Tenants, users and the names that other systems know users by. */
@NullMarked
package io.rapport.identity;

import org.jspecify.annotations.NullMarked;
