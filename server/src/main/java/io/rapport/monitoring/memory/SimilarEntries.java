package io.rapport.monitoring.memory;

import io.rapport.monitoring.v1.FindSimilarLearningEntriesResponse;
import io.rapport.monitoring.v1.LearningEntry;
import io.rapport.monitoring.v1.SimilarLearningEntry;
import io.rapport.platform.PageRoom;
import io.rapport.platform.TenantDb;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

/** Finds entries that are like a text: by words, and by meaning where that can be told. */
final class SimilarEntries {
  private static final int LEG = 100;
  private static final int NEAREST = 1000;

  /** Of reciprocal rank fusion (Cormack, Clarke and Buettcher, 2009). */
  private static final double K = 60;

  private static final Comparator<SimilarLearningEntry> ORDER =
      Comparator.comparingDouble(SimilarLearningEntry::getRank)
          .thenComparingDouble(it -> it.getEntry().getConfidence())
          .reversed()
          .thenComparing(it -> it.getEntry().getId());

  private final TenantDb db;
  private final MemoryStore memory;
  private final SimilarTexts texts;

  SimilarEntries(TenantDb db, MemoryStore memory, SimilarTexts texts) {
    this.db = db;
    this.memory = memory;
    this.texts = texts;
  }

  FindSimilarLearningEntriesResponse find(
      UUID tenant, String text, String type, double confidence, int limit) {
    Optional<Map<UUID, Double>> near = texts.nearest(tenant, MemoryStore.KIND, text, NEAREST);
    int leg = near.isEmpty() ? limit : Math.max(LEG, limit);
    List<SimilarLearningEntry> byWords =
        db.read(tenant, dsl -> memory.similar(dsl, tenant, text, type, confidence, leg));
    if (near.isEmpty()) {
      return FindSimilarLearningEntriesResponse.newBuilder()
          .addAllEntries(first(byWords, limit))
          .build();
    }
    List<LearningEntry> byMeaning =
        passing(tenant, new ArrayList<>(near.get().keySet()), type, confidence);
    return FindSimilarLearningEntriesResponse.newBuilder()
        .addAllEntries(first(fused(byWords, byMeaning), limit))
        .setByMeaning(true)
        .build();
  }

  private static List<SimilarLearningEntry> first(List<SimilarLearningEntry> found, int limit) {
    return found.subList(0, PageRoom.count(found, limit));
  }

  private List<LearningEntry> passing(UUID tenant, List<UUID> ids, String type, double confidence) {
    Map<UUID, LearningEntry> entries = db.read(tenant, dsl -> memory.findAll(dsl, tenant, ids));
    return ids.stream()
        .filter(entries::containsKey)
        .map(entries::get)
        .filter(it -> it.getActive() && it.getConfidence() >= confidence)
        .filter(it -> type.isEmpty() || it.getErrorType().equals(type))
        .limit(LEG)
        .toList();
  }

  private static List<SimilarLearningEntry> fused(
      List<SimilarLearningEntry> byWords, List<LearningEntry> byMeaning) {
    Map<String, SimilarLearningEntry> found = new HashMap<>();
    for (int i = 0; i < byWords.size(); i++) {
      LearningEntry entry = byWords.get(i).getEntry();
      found.merge(entry.getId(), ranked(entry, i + 1), SimilarEntries::joined);
    }
    for (int i = 0; i < byMeaning.size(); i++) {
      LearningEntry entry = byMeaning.get(i);
      found.merge(entry.getId(), ranked(entry, i + 1), SimilarEntries::joined);
    }
    return found.values().stream().sorted(ORDER).toList();
  }

  private static SimilarLearningEntry ranked(LearningEntry entry, int rank) {
    return SimilarLearningEntry.newBuilder().setEntry(entry).setRank(1 / (K + rank)).build();
  }

  private static SimilarLearningEntry joined(SimilarLearningEntry a, SimilarLearningEntry b) {
    return a.toBuilder().setRank(a.getRank() + b.getRank()).build();
  }
}
