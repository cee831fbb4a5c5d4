package io.rapport.client;

import com.google.protobuf.Empty;
import com.google.protobuf.FieldMask;
import io.rapport.identity.v1.BatchUpsertSystemSettingsRequest;
import io.rapport.identity.v1.BatchUpsertSystemSettingsResponse;
import io.rapport.identity.v1.CreateSystemSettingRequest;
import io.rapport.identity.v1.DeleteSystemSettingRequest;
import io.rapport.identity.v1.GetSystemSettingRequest;
import io.rapport.identity.v1.ListSystemSettingsRequest;
import io.rapport.identity.v1.ListSystemSettingsResponse;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingServiceGrpc;
import io.rapport.identity.v1.UpdateSystemSettingRequest;
import io.rapport.identity.v1.UpsertSystemSettingRequest;
import io.rapport.identity.v1.UpsertSystemSettingResponse;
import io.rapport.platform.v1.UpsertOutcome;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** The settings of the tenant's applications. Every method may throw a {@link RapportException}. */
public final class SettingsClient {
  private final Calls calls;
  private final Rpc<GetSystemSettingRequest, SystemSetting> get;
  private final Rpc<ListSystemSettingsRequest, ListSystemSettingsResponse> list;
  private final Rpc<CreateSystemSettingRequest, SystemSetting> create;
  private final Rpc<UpdateSystemSettingRequest, SystemSetting> update;
  private final Rpc<UpsertSystemSettingRequest, UpsertSystemSettingResponse> upsert;
  private final Rpc<BatchUpsertSystemSettingsRequest, BatchUpsertSystemSettingsResponse> upsertAll;
  private final Rpc<DeleteSystemSettingRequest, Empty> delete;

  SettingsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(SystemSettingServiceGrpc.getGetSystemSettingMethod());
    this.list = calls.rpc(SystemSettingServiceGrpc.getListSystemSettingsMethod());
    this.create = calls.rpc(SystemSettingServiceGrpc.getCreateSystemSettingMethod());
    this.update = calls.rpc(SystemSettingServiceGrpc.getUpdateSystemSettingMethod());
    this.upsert = calls.rpc(SystemSettingServiceGrpc.getUpsertSystemSettingMethod());
    this.upsertAll = calls.batch(SystemSettingServiceGrpc.getBatchUpsertSystemSettingsMethod());
    this.delete = calls.rpc(SystemSettingServiceGrpc.getDeleteSystemSettingMethod());
  }

  /** The setting with this UUID; empty if there is none. */
  public Optional<SystemSetting> get(String id) {
    return get(GetSystemSettingRequest.newBuilder().setId(id).build());
  }

  /** The setting of this name; empty if there is none. */
  public Optional<SystemSetting> byKey(String key) {
    return get(GetSystemSettingRequest.newBuilder().setSettingKey(key).build());
  }

  private Optional<SystemSetting> get(GetSystemSettingRequest request) {
    try {
      return Optional.of(calls.call(get, request));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The settings that pass the request's filter, in its order, fetched page by page as the stream
   * is read.
   */
  public Stream<SystemSetting> list(ListSystemSettingsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListSystemSettingsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getSystemSettingsList(), page.getNextPageToken());
        });
  }

  /**
   * Makes a setting.
   *
   * @throws AlreadyExistsException if one with its id or another key is there
   */
  public SystemSetting create(SystemSetting systemSetting) {
    return calls.call(
        create, CreateSystemSettingRequest.newBuilder().setSystemSetting(systemSetting).build());
  }

  /**
   * Changes fields of a setting, which must carry the etag that was read.
   *
   * @param paths the fields to change; none: all that are set; {@code *}: all
   * @throws AbortedException with reason ETAG_MISMATCH if it has changed since it was read
   */
  public SystemSetting update(SystemSetting systemSetting, String... paths) {
    return calls.call(
        update,
        UpdateSystemSettingRequest.newBuilder()
            .setSystemSetting(systemSetting)
            .setUpdateMask(mask(paths))
            .build());
  }

  /**
   * Lets a setting be there as it is sent, found by its natural key. What isn't set stays as it is.
   */
  public SystemSetting upsert(SystemSetting systemSetting) {
    return calls
        .call(
            upsert, UpsertSystemSettingRequest.newBuilder().setSystemSetting(systemSetting).build())
        .getSystemSetting();
  }

  /**
   * The same for up to 1,000: all or none.
   *
   * @return what became of each, in their order
   */
  public List<UpsertOutcome> upsert(Iterable<SystemSetting> systemSettings) {
    return calls
        .call(
            upsertAll,
            BatchUpsertSystemSettingsRequest.newBuilder()
                .addAllSystemSettings(systemSettings)
                .build())
        .getOutcomesList();
  }

  /**
   * Makes a setting inactive; doing it again changes nothing.
   *
   * @throws NotFoundException if it is not there
   */
  public void delete(String id) {
    calls.call(delete, DeleteSystemSettingRequest.newBuilder().setId(id).build());
  }

  private static FieldMask mask(String... paths) {
    return FieldMask.newBuilder().addAllPaths(List.of(paths)).build();
  }
}
