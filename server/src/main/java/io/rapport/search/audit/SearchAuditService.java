package io.rapport.search.audit;

import com.google.protobuf.Message;
import io.grpc.ServerServiceDefinition;
import io.rapport.platform.Caller;
import io.rapport.platform.PageTokens;
import io.rapport.platform.Rpcs;
import io.rapport.platform.TenantDb;
import io.rapport.platform.TimePlace;
import io.rapport.platform.Times;
import io.rapport.search.v1.GetRecallRequest;
import io.rapport.search.v1.GetRecallResponse;
import io.rapport.search.v1.GetSearchIndexesRequest;
import io.rapport.search.v1.GetSearchIndexesResponse;
import io.rapport.search.v1.ListAllRecallAuditsRequest;
import io.rapport.search.v1.ListAllRecallAuditsResponse;
import io.rapport.search.v1.ListRecallAuditsRequest;
import io.rapport.search.v1.ListRecallAuditsResponse;
import io.rapport.search.v1.RecallAudit;
import io.rapport.search.v1.SearchAuditServiceGrpc;
import java.util.List;
import java.util.UUID;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** The RPCs of audits. */
final class SearchAuditService {
  private final TenantDb db;
  private final AuditWorkStore work;
  private final AuditStore audits = new AuditStore();

  SearchAuditService(TenantDb db, AuditWorkStore work) {
    this.db = db;
    this.work = work;
  }

  /** Some audits, and where the next begin. */
  private record Page(List<RecallAudit> audits, String next) {}

  ServerServiceDefinition bind(Rpcs rpcs) {
    return rpcs.service(SearchAuditServiceGrpc.getServiceDescriptor())
        .unary(SearchAuditServiceGrpc.getGetRecallMethod(), this::getRecall)
        .unary(SearchAuditServiceGrpc.getListRecallAuditsMethod(), this::listRecallAudits)
        .unary(SearchAuditServiceGrpc.getListAllRecallAuditsMethod(), this::listAllRecallAudits)
        .unary(SearchAuditServiceGrpc.getGetSearchIndexesMethod(), this::getSearchIndexes)
        .build();
  }

  private GetRecallResponse getRecall(GetRecallRequest request) {
    UUID tenant = Caller.currentTenant().id();
    return GetRecallResponse.newBuilder()
        .addAllRecalls(db.read(tenant, dsl -> audits.recalls(dsl, tenant, request.getKindsList())))
        .build();
  }

  private ListRecallAuditsResponse listRecallAudits(ListRecallAuditsRequest request) {
    UUID tenant = Caller.currentTenant().id();
    Page page =
        page(
            request.toBuilder().clearPageSize().clearPageToken().build(),
            request.getPageToken(),
            PageTokens.size(request.getPageSize()),
            (after, limit) ->
                db.read(
                    tenant, dsl -> audits.list(dsl, tenant, request.getFilter(), after, limit)));
    return ListRecallAuditsResponse.newBuilder()
        .addAllAudits(page.audits())
        .setNextPageToken(page.next())
        .build();
  }

  private ListAllRecallAuditsResponse listAllRecallAudits(ListAllRecallAuditsRequest request) {
    Page page =
        page(
            request.toBuilder().clearPageSize().clearPageToken().build(),
            request.getPageToken(),
            PageTokens.size(request.getPageSize()),
            (after, limit) -> work.list(request.getFilter(), after, limit));
    return ListAllRecallAuditsResponse.newBuilder()
        .addAllAudits(page.audits())
        .setNextPageToken(page.next())
        .build();
  }

  private static Page page(
      Message arguments,
      String token,
      int size,
      BiFunction<@Nullable TimePlace, Integer, List<RecallAudit>> read) {
    Caller.Tenant tenant = Caller.currentTenant();
    TimePlace after =
        PageTokens.decode(tenant, arguments, token).map(TimePlace::ofCursor).orElse(null);
    List<RecallAudit> found = read.apply(after, size + 1);
    if (found.size() <= size) {
      return new Page(found, "");
    }
    RecallAudit last = found.get(size - 1);
    TimePlace place =
        new TimePlace(Times.instant(last.getAuditedAt()), UUID.fromString(last.getId()));
    return new Page(found.subList(0, size), PageTokens.encode(tenant, arguments, place.toCursor()));
  }

  private GetSearchIndexesResponse getSearchIndexes(GetSearchIndexesRequest request) {
    return GetSearchIndexesResponse.newBuilder().addAllIndexes(work.indexes()).build();
  }
}
