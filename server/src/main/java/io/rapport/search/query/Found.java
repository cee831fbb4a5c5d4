package io.rapport.search.query;

import java.util.List;

/**
 * What a statement found of one kind.
 *
 * @param counted how many candidates there are, counted up to one more than are compared
 * @param matching how many could be ranked; -1 if that isn't known
 */
record Found(long counted, long matching, List<Candidate> candidates) {}
