package io.rapport.server;

import static io.rapport.server.Given.eventOf;
import static io.rapport.server.Given.identity;
import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.InvalidProtocolBufferException;
import io.grpc.Channel;
import io.grpc.Status.Code;
import io.rapport.caching.v1.CacheLifetime;
import io.rapport.caching.v1.CacheLifetimeServiceGrpc;
import io.rapport.caching.v1.CreateCacheLifetimeRequest;
import io.rapport.delivery.Entities;
import io.rapport.identity.v1.CreateSystemSettingRequest;
import io.rapport.identity.v1.CreateUserPermissionRequest;
import io.rapport.identity.v1.CreateUserRequest;
import io.rapport.identity.v1.IdentityLinkServiceGrpc;
import io.rapport.identity.v1.ListIdentityLinksRequest;
import io.rapport.identity.v1.SignInRequest;
import io.rapport.identity.v1.SignInServiceGrpc;
import io.rapport.identity.v1.SystemSetting;
import io.rapport.identity.v1.SystemSettingServiceGrpc;
import io.rapport.identity.v1.User;
import io.rapport.identity.v1.UserPermission;
import io.rapport.identity.v1.UserPermissionServiceGrpc;
import io.rapport.identity.v1.UserServiceGrpc;
import io.rapport.monitoring.v1.AlertSilence;
import io.rapport.monitoring.v1.AlertSilenceServiceGrpc;
import io.rapport.monitoring.v1.CreateAlertSilenceRequest;
import io.rapport.monitoring.v1.CreateDetectionSettingsRequest;
import io.rapport.monitoring.v1.DetectionSettings;
import io.rapport.monitoring.v1.DetectionSettingsServiceGrpc;
import io.rapport.platform.Contract;
import io.rapport.platform.v1.ResourceProto;
import io.rapport.tracking.v1.EventServiceGrpc;
import io.rapport.tracking.v1.TrackEventRequest;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Of every resource, also those to come: what is another tenant's is what is not there. */
class ResourceIsolationTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final Map<String, Function<Channel, String>> OWN_MAKERS =
      Map.ofEntries(
          Map.entry("User", ResourceIsolationTest::user),
          Map.entry("UserPermission", ResourceIsolationTest::permission),
          Map.entry("SignIn", ResourceIsolationTest::signIn),
          Map.entry("IdentityLink", ResourceIsolationTest::link),
          Map.entry("SystemSetting", ResourceIsolationTest::setting),
          Map.entry("CacheLifetime", ResourceIsolationTest::lifetime),
          Map.entry("TrainingEvent", LearningCalls::training),
          Map.entry("ModelVersion", LearningCalls::version),
          Map.entry("ModelActivation", LearningCalls::activation),
          Map.entry("ModelPerformance", LearningCalls::performance),
          Map.entry("PromotionPolicy", LearningCalls::policy),
          Map.entry("AlertSilence", ResourceIsolationTest::silence),
          Map.entry("DetectionSettings", ResourceIsolationTest::detection));

  /** How a tenant comes to have one entity of each kind, always with the same keys. */
  private static final Map<String, Function<Channel, String>> MAKERS = makers();

  private static Map<String, Function<Channel, String>> makers() {
    Map<String, Function<Channel, String>> makers = new HashMap<>(OWN_MAKERS);
    Entities.KINDS.forEach(kind -> makers.put(kind, channel -> Entities.make(channel, kind)));
    return makers;
  }

  /** The standard methods of resources, by their full names. */
  static Set<String> standardMethods() {
    Set<String> names = new TreeSet<>();
    resources()
        .forEach((service, entity) -> standard(service, entity).forEach(it -> names.add(name(it))));
    return names;
  }

  @Test
  void everyResourceIsTested() {
    Set<String> entities = new TreeSet<>();
    resources().values().forEach(entity -> entities.add(entity.getName()));

    assertThat(MAKERS.keySet()).isEqualTo(entities);
  }

  @Test
  void answersForAnotherTenantsEntityExactlyAsForNone() throws Exception {
    Channel theirs = channelOfANewTenant();
    int calls = 0;
    for (Map.Entry<ServiceDescriptor, Descriptor> resource : resources().entrySet()) {
      Function<Channel, String> maker = maker(resource.getValue());
      String their = maker.apply(theirs);
      String own = maker.apply(rapport.channel());
      for (MethodDescriptor method : standard(resource.getKey(), resource.getValue())) {
        if (!method.getName().matches("(Get|Update|Delete).*")) {
          continue;
        }
        calls++;
        String none = Given.id();
        assertThat(call(method, their).replace(their, "ID"))
            .as(method.getFullName())
            .contains("NOT_FOUND")
            .isEqualTo(call(method, none).replace(none, "ID"));
        assertThat(call(method, own)).as(method.getFullName()).doesNotContain("NOT_FOUND");
      }
    }
    assertThat(calls).isGreaterThanOrEqualTo(8);
  }

  @Test
  void listsNothingOfAnotherTenant() throws Exception {
    Channel theirs = channelOfANewTenant();
    for (Map.Entry<ServiceDescriptor, Descriptor> resource : resources().entrySet()) {
      String their = maker(resource.getValue()).apply(theirs);
      for (MethodDescriptor method : standard(resource.getKey(), resource.getValue())) {
        if (method.getName().startsWith("List")) {
          ByteString mine = list(method, rapport.channel());
          assertThat(mine).as(method.getFullName()).isEqualTo(ByteString.EMPTY);
          assertThat(list(method, theirs).toStringUtf8()).contains(their);
        }
      }
    }
  }

  private static Function<Channel, String> maker(Descriptor entity) {
    return Objects.requireNonNull(MAKERS.get(entity.getName()), entity.getName());
  }

  private static Channel channelOfANewTenant() {
    return rapport.channel(rapport.tokens().of(rapport.newTenant(), Tokens.ALL_RIGHTS));
  }

  /** Services with the entity that their Get returns, if it is a resource. */
  private static Map<ServiceDescriptor, Descriptor> resources() {
    Map<ServiceDescriptor, Descriptor> resources = new LinkedHashMap<>();
    for (ServiceDescriptor service : Contract.load().services()) {
      for (MethodDescriptor method : service.getMethods()) {
        Descriptor answer = method.getOutputType();
        if (answer.getOptions().hasExtension(ResourceProto.resource)) {
          resources.put(service, answer);
        }
      }
    }
    return resources;
  }

  private static Set<MethodDescriptor> standard(ServiceDescriptor service, Descriptor entity) {
    Set<MethodDescriptor> standard = new java.util.LinkedHashSet<>();
    for (MethodDescriptor method : service.getMethods()) {
      boolean one =
          method.getName().matches("(Get|Create|Update|Upsert|Delete)" + entity.getName());
      boolean many =
          switch (method.getName().replaceFirst("(?<=[a-z])[A-Z].*", "")) {
            case "List" -> holdsMany(method.getOutputType(), entity);
            case "Batch" -> holdsMany(method.getInputType(), entity);
            default -> false;
          };
      if (one || many) {
        standard.add(method);
      }
    }
    return standard;
  }

  private static boolean holdsMany(Descriptor message, Descriptor entity) {
    return message.getFields().stream()
        .anyMatch(field ->
            field.isRepeated()
                && field.getJavaType() == FieldDescriptor.JavaType.MESSAGE
                && field.getMessageType().equals(entity));
  }

  private static String name(MethodDescriptor method) {
    return method.getService().getFullName() + "/" + method.getName();
  }

  /** Asks for the entity with this id: what it is told, without incidents. */
  private static String call(MethodDescriptor method, String id) {
    DynamicMessage.Builder request = DynamicMessage.newBuilder(method.getInputType());
    FieldDescriptor field = method.getInputType().findFieldByName("id");
    if (field != null) {
      request.setField(field, id);
    } else {
      request.setField(entityField(method), entity(entityField(method).getMessageType(), id));
    }
    Wire.Ending ending = Wire.call(rapport.channel(), name(method), request.build().toByteArray());
    return ending.code() + " " + ending.info();
  }

  private static FieldDescriptor entityField(MethodDescriptor method) {
    return method.getInputType().getFields().getFirst();
  }

  private static DynamicMessage entity(Descriptor type, String id) {
    return DynamicMessage.newBuilder(type)
        .setField(type.findFieldByName("id"), id)
        .setField(type.findFieldByName("etag"), "\"1\"")
        .build();
  }

  private static ByteString list(MethodDescriptor method, Channel channel)
      throws InvalidProtocolBufferException {
    Wire.Ending ending = Wire.call(channel, name(method), new byte[0]);
    assertThat(ending.code()).as(method.getFullName()).isEqualTo(Code.OK);
    return ending.answer();
  }

  private static String user(Channel channel) {
    return UserServiceGrpc.newBlockingStub(channel)
        .createUser(
            CreateUserRequest.newBuilder()
                .setUser(User.newBuilder().setEmail("x@example.org"))
                .build())
        .getId();
  }

  private static String someone(Channel channel) {
    return UserServiceGrpc.newBlockingStub(channel)
        .createUser(CreateUserRequest.newBuilder().setUser(User.newBuilder()).build())
        .getId();
  }

  private static String permission(Channel channel) {
    return UserPermissionServiceGrpc.newBlockingStub(channel)
        .createUserPermission(
            CreateUserPermissionRequest.newBuilder()
                .setUserPermission(
                    UserPermission.newBuilder()
                        .setUserId(someone(channel))
                        .setResource("logs")
                        .setAction("read"))
                .build())
        .getId();
  }

  private static String signIn(Channel channel) {
    return SignInServiceGrpc.newBlockingStub(channel)
        .signIn(SignInRequest.newBuilder().setUserId(someone(channel)).build())
        .getSignIn()
        .getId();
  }

  private static String lifetime(Channel channel) {
    return CacheLifetimeServiceGrpc.newBlockingStub(channel)
        .createCacheLifetime(
            CreateCacheLifetimeRequest.newBuilder()
                .setCacheLifetime(
                    CacheLifetime.newBuilder()
                        .setCache(CacheLifetime.Cache.ANALYSIS)
                        .setEntryType("t" + Given.id())
                        .setLifetimeSeconds(60))
                .build())
        .getId();
  }

  private static String silence(Channel channel) {
    return AlertSilenceServiceGrpc.newBlockingStub(channel)
        .createAlertSilence(
            CreateAlertSilenceRequest.newBuilder()
                .setAlertSilence(
                    AlertSilence.newBuilder()
                        .setModelName("m")
                        .setFingerprint("*")
                        .setSilencedUntilAt(Given.time("2099-01-01T00:00:00Z")))
                .build())
        .getId();
  }

  private static String detection(Channel channel) {
    return DetectionSettingsServiceGrpc.newBlockingStub(channel)
        .createDetectionSettings(
            CreateDetectionSettingsRequest.newBuilder()
                .setDetectionSettings(DetectionSettings.newBuilder().setModelName("m"))
                .build())
        .getId();
  }

  private static String setting(Channel channel) {
    return SystemSettingServiceGrpc.newBlockingStub(channel)
        .createSystemSetting(
            CreateSystemSettingRequest.newBuilder()
                .setSystemSetting(
                    SystemSetting.newBuilder().setSettingKey("x").setSettingValue("1"))
                .build())
        .getId();
  }

  private static String link(Channel channel) {
    EventServiceGrpc.newBlockingStub(channel)
        .trackEvent(
            TrackEventRequest.newBuilder()
                .setEvent(eventOf("x").setIdentity(identity("x")))
                .build());
    return IdentityLinkServiceGrpc.newBlockingStub(channel)
        .listIdentityLinks(ListIdentityLinksRequest.getDefaultInstance())
        .getIdentityLinks(0)
        .getId();
  }
}
