/** The database: its schema, its local PostgreSQL and the tool for both. */
@NullMarked
package io.rapport.db;

import org.jspecify.annotations.NullMarked;
