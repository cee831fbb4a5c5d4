package io.rapport.search.query;

import com.google.common.primitives.Floats;
import com.google.protobuf.Any;
import com.google.protobuf.Message;
import io.rapport.search.v1.KindReport;
import io.rapport.search.v1.KindReport.Mode;
import io.rapport.search.v1.SearchHit;
import io.rapport.search.v1.SearchRequest;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.UUID;

/** Tells what was found. */
final class Answers {
  List<SearchHit> hits(
      Connection db,
      SearchRequest request,
      List<Source> sources,
      List<Ranked> ranked,
      Map<Candidate.Key, Embedding> vectors,
      boolean grouped)
      throws SQLException {
    Map<Candidate.Key, Message> entities =
        request.getIncludeEntities() ? entities(db, sources, ranked) : Map.of();
    List<SearchHit> hits = new ArrayList<>();
    for (Ranked it : ranked) {
      SearchHit.Builder hit = hit(it, grouped);
      Embedding vector = vectors.get(it.candidate().key());
      if (request.getIncludeEmbeddings() && vector != null) {
        hit.addAllEmbedding(Floats.asList(vector.values()));
      }
      Message entity = entities.get(it.candidate().key());
      if (entity != null) {
        hit.setEntity(Any.pack(entity));
      }
      hits.add(hit.build());
    }
    return hits;
  }

  private static SearchHit.Builder hit(Ranked ranked, boolean grouped) {
    Candidate candidate = ranked.candidate();
    SearchHit.Builder hit =
        SearchHit.newBuilder()
            .setKind(candidate.kind().name())
            .setId(candidate.id().toString())
            .setRevision(candidate.revision())
            .setScore(ranked.score())
            .setMeaningRank(ranked.meaningRank())
            .setWordsRank(ranked.wordsRank())
            .setStale(candidate.stale());
    String group = candidate.group();
    if (grouped && group != null) {
      hit.setGroup(group);
    }
    String text = candidate.text();
    if (text != null) {
      hit.setText(text);
    }
    return hit;
  }

  private static Map<Candidate.Key, Message> entities(
      Connection db, List<Source> sources, List<Ranked> ranked) throws SQLException {
    Map<Candidate.Key, Message> found = new HashMap<>();
    for (Source source : sources) {
      Kind kind = source.kind();
      List<UUID> ids = Ranked.ids(ranked, kind);
      Entities entities = kind.entities();
      if (entities != null && !ids.isEmpty()) {
        entities
            .read(db, source.tenant(), ids, source.mask())
            .forEach((id, entity) -> found.put(new Candidate.Key(kind, id), entity));
      }
    }
    return found;
  }

  /** One for each kind, of its leg by meaning if there are two. */
  List<KindReport> reports(List<Leg> legs, List<Ranked> hits) {
    Map<Kind, KindReport.Builder> reports = new TreeMap<>();
    for (Leg leg : legs) {
      KindReport.Builder report = reports.get(leg.kind());
      if (report == null) {
        reports.put(leg.kind(), report(leg));
      } else if (report.getMode() == Mode.MODE_UNSPECIFIED) {
        report.setMode(leg.mode());
      }
    }
    for (Candidate hit : Ranked.candidates(hits)) {
      KindReport.Builder report = reports.get(hit.kind());
      if (report != null) {
        report.setHits(report.getHits() + 1);
      }
    }
    return reports.values().stream().map(KindReport.Builder::build).toList();
  }

  private static KindReport.Builder report(Leg leg) {
    KindReport.Builder report =
        KindReport.newBuilder()
            .setKind(leg.kind().name())
            .setMode(leg.mode())
            .setModel(leg.model())
            .addAllShortfalls(leg.shortfalls());
    if (leg.compared() >= 0) {
      report.setCandidates(leg.compared());
    }
    if (leg.matching() >= 0) {
      report.setMatching(leg.matching());
    }
    return report;
  }
}
