package io.rapport.platform;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.api.FieldBehaviorProto;
import com.google.protobuf.DescriptorProtos.FieldOptions;
import com.google.protobuf.DescriptorProtos.FileOptions;
import com.google.protobuf.DescriptorProtos.MethodOptions.IdempotencyLevel;
import com.google.protobuf.DescriptorProtos.SourceCodeInfo.Location;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor.JavaType;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.GenericDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.OneofDescriptor;
import com.google.protobuf.ExtensionRegistry;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.Timestamp;
import io.rapport.platform.v1.ResourceProto;
import io.rapport.platform.v1.TimeFilter;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Rules that every file of the contract keeps, also those still to come. */
class ContractTest {
  private static final Set<String> RIGHTS =
      Set.of(
          "tracking.read",
          "tracking.write",
          "identity.read",
          "identity.write",
          "caching.read",
          "caching.write",
          "versioning.read",
          "versioning.write",
          "versioning.train",
          "versioning.promote",
          "monitoring.read",
          "monitoring.write",
          "delivery.read",
          "delivery.write",
          "search.read",
          "embedding.read",
          "embedding.write",
          "changes.read",
          "inspect",
          "operator");

  /** A stream's messages are recorded as they come; BatchTrackEvents checks. Leases are no data. */
  private static final Set<String> WITHOUT_VALIDATE_ONLY =
      Set.of(
          "IngestEvents",
          "StreamPredictions",
          "GetOrLeasePrediction",
          "GetOrLeaseAnalysis",
          "ClaimWarmups",
          "RenewLease",
          "ReleaseLease",
          "ClaimTraining",
          "ReportProgress",
          "IngestEmbeddings",
          "ClaimStaleEmbeddings",
          "RenewEmbeddingClaim",
          "ReleaseEmbeddingClaim",
          "ReportEmbeddingFailures");

  /** Also the names that applications know. */
  private static final Set<String> TIMES =
      Set.of(
          "from",
          "to",
          "time",
          "refresh_after",
          "last_accessed",
          "last_updated",
          "prediction_date",
          "expected_completion_date",
          "created",
          "updated",
          "resolution_date",
          "transition_start_date",
          "transition_change_date",
          "created_at_github",
          "updated_at_github",
          "authored_date",
          "committed_date");

  private final Contract contract = Contract.load();

  @Test
  void everyRpcDeclaresARightThatExists() {
    for (MethodDescriptor rpc : rpcs()) {
      assertThat(Contract.right(rpc)).as(rpc.getFullName()).isPresent();
      assertThat(RIGHTS).as(rpc.getFullName()).contains(Contract.right(rpc).orElseThrow());
    }
  }

  @Test
  void everyRpcSaysWhetherItMayBeRepeated() {
    for (MethodDescriptor rpc : rpcs()) {
      assertThat(rpc.getOptions().getIdempotencyLevel())
          .as(rpc.getFullName())
          .isEqualTo(reads(rpc) ? IdempotencyLevel.NO_SIDE_EFFECTS : IdempotencyLevel.IDEMPOTENT);
    }
  }

  @Test
  void everythingHasAComment() {
    Map<String, String> comments = new LinkedHashMap<>();
    contract.ownFiles().forEach(file -> comments.putAll(comments(file)));

    assertThat(comments).hasSizeGreaterThan(200);
    assertThat(comments).allSatisfy((name, comment) -> assertThat(comment).as(name).isNotBlank());
  }

  @Test
  void everyListIsPaged() {
    int lists = 0;
    for (MethodDescriptor rpc : rpcs()) {
      if (rpc.getName().startsWith("List")) {
        lists++;
        assertThat(names(rpc.getInputType())).contains("page_size", "page_token");
        assertThat(names(rpc.getOutputType())).contains("next_page_token");
      }
    }
    assertThat(lists).isGreaterThanOrEqualTo(3);
  }

  @Test
  void everyFieldOfARequestSaysHowItBehaves() throws Exception {
    for (Descriptor message : requestMessages()) {
      for (FieldDescriptor field : message.getFields()) {
        if (field.getRealContainingOneof() == null) {
          assertThat(behaviours(field)).as(field.getFullName()).isPositive();
        }
      }
    }
  }

  @Test
  void everyWriteCanBeTriedOut() {
    for (MethodDescriptor rpc : rpcs()) {
      boolean expected = !reads(rpc) && !WITHOUT_VALIDATE_ONLY.contains(rpc.getName());
      assertThat(names(rpc.getInputType()).contains("validate_only"))
          .as(rpc.getFullName())
          .isEqualTo(expected);
    }
  }

  @Test
  void requestsAndResponsesAreNamedAfterTheirRpc() {
    for (MethodDescriptor rpc : rpcs()) {
      assertThat(rpc.getInputType().getName()).isEqualTo(rpc.getName() + "Request");
      if (!rpc.getOutputType().getOptions().hasExtension(ResourceProto.resource)) {
        assertThat(rpc.getOutputType().getName()).doesNotEndWith("Request");
      }
    }
  }

  @Test
  void timesAreNamedAsTimes() {
    for (Descriptor message : messages()) {
      for (FieldDescriptor field : message.getFields()) {
        boolean time =
            field.getJavaType() == JavaType.MESSAGE
                && field
                    .getMessageType()
                    .getFullName()
                    .equals(Timestamp.getDescriptor().getFullName());
        boolean named = field.getName().endsWith("_at") || TIMES.contains(field.getName());
        if (time) {
          assertThat(named).as(field.getFullName()).isTrue();
        } else if (field.getName().endsWith("_at") && !isTimeFilter(field)) {
          assertThat(time).as(field.getFullName()).isTrue();
        }
      }
    }
  }

  private static boolean isTimeFilter(FieldDescriptor field) {
    return field.getJavaType() == JavaType.MESSAGE
        && field.getMessageType().getFullName().equals(TimeFilter.getDescriptor().getFullName());
  }

  @Test
  void onlyErrorReasonIsAnEnumOfAPackage() {
    List<String> outer = new ArrayList<>();
    for (FileDescriptor file : contract.ownFiles()) {
      file.getEnumTypes().forEach(it -> outer.add(it.getName()));
    }
    assertThat(outer).containsExactly("ErrorReason");
  }

  @Test
  void zeroOfAnEnumIsUnspecified() {
    for (EnumDescriptor type : enums()) {
      String name = type.getName().replaceAll("(?<=[a-z])(?=[A-Z])", "_").toUpperCase(Locale.ROOT);
      assertThat(type.findValueByNumber(0).getName()).isEqualTo(name + "_UNSPECIFIED");
    }
  }

  @Test
  void everyFileSaysWhereItsJavaClassesGo() {
    for (FileDescriptor file : contract.ownFiles()) {
      FileOptions options = file.getOptions();
      assertThat(options.getJavaPackage()).isEqualTo("io." + file.getPackage());
      assertThat(options.getJavaMultipleFiles()).as(file.getName()).isTrue();
      assertThat(options.getJavaOuterClassname()).as(file.getName()).endsWith("Proto");
      assertThat(file.getPackage()).matches("rapport\\.[a-z]+\\.v1");
      assertThat(file.getName()).startsWith(file.getPackage().replace('.', '/') + "/");
    }
  }

  private static boolean reads(MethodDescriptor rpc) {
    return rpc.getName()
        .matches(
            "(Get(?!OrLease)|BatchGet|List|Count|Watch|Check|Verify|Explain|Find|Stream(?!Predictions)|Compare|Search|BatchSearch|Resolve(?!AnomalyAlert))([A-Z].*|)");
  }

  private static List<String> names(Descriptor message) {
    return message.getFields().stream().map(FieldDescriptor::getName).toList();
  }

  private static int behaviours(FieldDescriptor field) throws InvalidProtocolBufferException {
    ExtensionRegistry registry = ExtensionRegistry.newInstance();
    FieldBehaviorProto.registerAllExtensions(registry);
    return FieldOptions.parseFrom(field.getOptions().toByteString(), registry)
        .getExtensionCount(FieldBehaviorProto.fieldBehavior);
  }

  private List<MethodDescriptor> rpcs() {
    List<MethodDescriptor> rpcs = new ArrayList<>();
    contract.services().forEach(service -> rpcs.addAll(service.getMethods()));
    assertThat(rpcs).hasSizeGreaterThanOrEqualTo(14);
    return rpcs;
  }

  /** The project's messages that a caller can send. */
  private Set<Descriptor> requestMessages() {
    Set<Descriptor> found = new HashSet<>();
    rpcs().forEach(rpc -> collect(rpc.getInputType(), found));
    return found;
  }

  private static void collect(Descriptor message, Set<Descriptor> found) {
    if (message.getFullName().startsWith("rapport.") && found.add(message)) {
      for (FieldDescriptor field : message.getFields()) {
        if (field.getJavaType() == JavaType.MESSAGE && !field.isMapField()) {
          collect(field.getMessageType(), found);
        }
      }
    }
  }

  private Set<Descriptor> messages() {
    Set<Descriptor> all = new LinkedHashSet<>();
    contract.ownFiles().forEach(file -> file.getMessageTypes().forEach(it -> nested(it, all)));
    return all;
  }

  private static void nested(Descriptor message, Set<Descriptor> all) {
    all.add(message);
    message.getNestedTypes().forEach(it -> nested(it, all));
  }

  private Set<EnumDescriptor> enums() {
    Set<EnumDescriptor> all = new LinkedHashSet<>();
    contract.ownFiles().forEach(file -> all.addAll(file.getEnumTypes()));
    messages().forEach(message -> all.addAll(message.getEnumTypes()));
    return all;
  }

  /** The comment before each service, RPC, message, field, oneof, enum and enum value. */
  private static Map<String, String> comments(FileDescriptor file) {
    Map<List<Integer>, String> written = new LinkedHashMap<>();
    for (Location location : file.toProto().getSourceCodeInfo().getLocationList()) {
      written.put(location.getPathList(), location.getLeadingComments());
    }
    Map<String, String> comments = new LinkedHashMap<>();
    Comments found = new Comments(written, comments);
    file.getServices()
        .forEach(service -> {
          List<Integer> path = found.put(List.of(), 6, service.getIndex(), service);
          service.getMethods().forEach(rpc -> found.put(path, 2, rpc.getIndex(), rpc));
        });
    file.getMessageTypes().forEach(message -> found.putAll(List.of(), 4, message));
    file.getEnumTypes().forEach(type -> found.putAll(List.of(), 5, type));
    return comments;
  }

  /** Which no author writes: the compiler makes it of a map. */
  private static boolean isMapEntry(Descriptor message) {
    return message.getOptions().getMapEntry();
  }

  /** Paths are those of {@code descriptor.proto}: a field's number, then an index. */
  private record Comments(Map<List<Integer>, String> written, Map<String, String> found) {
    List<Integer> put(List<Integer> parent, int kind, int index, GenericDescriptor it) {
      List<Integer> path = new ArrayList<>(parent);
      path.add(kind);
      path.add(index);
      found.put(it.getFullName(), written.getOrDefault(path, ""));
      return path;
    }

    void putAll(List<Integer> parent, int kind, Descriptor message) {
      List<Integer> path = put(parent, kind, message.getIndex(), message);
      message.getFields().forEach(field -> put(path, 2, field.getIndex(), field));
      message.getNestedTypes().stream()
          .filter(nested -> !isMapEntry(nested))
          .forEach(nested -> putAll(path, 3, nested));
      message.getEnumTypes().forEach(type -> putAll(path, 4, type));
      for (OneofDescriptor oneof : message.getRealOneofs()) {
        put(path, 8, oneof.getIndex(), oneof);
      }
    }

    void putAll(List<Integer> parent, int kind, EnumDescriptor type) {
      List<Integer> path = put(parent, kind, type.getIndex(), type);
      type.getValues().forEach(value -> put(path, 2, value.getIndex(), value));
    }
  }
}
