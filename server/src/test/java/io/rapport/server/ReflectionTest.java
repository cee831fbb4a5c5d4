package io.rapport.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import io.grpc.Channel;
import io.grpc.Status.Code;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import io.rapport.platform.Contract;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class ReflectionTest {
  @RegisterExtension static final Rapport rapport = new Rapport();

  private static final String REFLECTION =
      "grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  private static final ServerReflectionRequest LIST =
      ServerReflectionRequest.newBuilder().setListServices("").build();

  @Test
  void needsItsRight() {
    String others = Tokens.ALL_RIGHTS.replace("inspect", "");
    Channel channel = rapport.channel(rapport.tokens().of(rapport.tenant(), others));

    Wire.Ending ending = Wire.call(channel, REFLECTION, LIST.toByteArray());

    assertThat(ending.code()).isEqualTo(Code.PERMISSION_DENIED);
    assertThat(ending.reason()).isEqualTo("RIGHT_MISSING");
    assertThat(ending.messages()).isZero();
  }

  @Test
  void namesTheContractsServicesAndNoOthers() {
    List<String> expected = new ArrayList<>();
    Contract.load().services().stream().map(ServiceDescriptor::getFullName).forEach(expected::add);
    expected.add("grpc.health.v1.Health");
    expected.add("grpc.reflection.v1.ServerReflection");

    assertThat(ask(LIST).getListServicesResponse().getServiceList())
        .extracting(ServiceResponse::getName)
        .containsExactlyInAnyOrderElementsOf(expected);
  }

  @Test
  void servesEveryServiceWithItsComments() throws Exception {
    for (ServiceDescriptor service : Contract.load().services()) {
      ServerReflectionRequest request =
          ServerReflectionRequest.newBuilder()
              .setFileContainingSymbol(service.getFullName())
              .build();
      FileDescriptorProto file = file(ask(request), service.getFile().getName());

      Set<Integer> kinds = Set.of(4, 6); // messages and services
      assertThat(file.getSourceCodeInfo().getLocationList())
          .as(service.getFullName())
          .filteredOn(it -> it.getPathCount() == 2 && kinds.contains(it.getPath(0)))
          .isNotEmpty()
          .allSatisfy(it -> assertThat(it.getLeadingComments()).isNotBlank());
    }
  }

  @Test
  void servesTheCommentsOfWhatAServiceImports() throws Exception {
    ServerReflectionRequest request =
        ServerReflectionRequest.newBuilder()
            .setFileByFilename("rapport/tracking/v1/event.proto")
            .build();

    FileDescriptorProto file = file(ask(request), "rapport/tracking/v1/event.proto");

    assertThat(file.getSourceCodeInfo().getLocationList())
        .anySatisfy(
            it -> assertThat(it.getLeadingComments()).contains("Something that a user did"));
  }

  @Test
  void saysThatASymbolIsNotThere() {
    ServerReflectionRequest request =
        ServerReflectionRequest.newBuilder().setFileContainingSymbol("rapport.None").build();

    assertThat(ask(request).getErrorResponse().getErrorCode()).isEqualTo(Code.NOT_FOUND.value());
  }

  private static FileDescriptorProto file(ServerReflectionResponse response, String name)
      throws Exception {
    for (ByteString bytes : response.getFileDescriptorResponse().getFileDescriptorProtoList()) {
      FileDescriptorProto file = FileDescriptorProto.parseFrom(bytes);
      if (file.getName().equals(name)) {
        return file;
      }
    }
    throw new AssertionError("no file " + name + " in " + response);
  }

  private static ServerReflectionResponse ask(ServerReflectionRequest request) {
    CompletableFuture<ServerReflectionResponse> answer = new CompletableFuture<>();
    StreamObserver<ServerReflectionRequest> call =
        ServerReflectionGrpc.newStub(rapport.channel())
            .serverReflectionInfo(
                new StreamObserver<>() {
                  @Override
                  public void onNext(ServerReflectionResponse value) {
                    answer.complete(value);
                  }

                  @Override
                  public void onError(Throwable t) {
                    answer.completeExceptionally(t);
                  }

                  @Override
                  public void onCompleted() {
                    answer.completeExceptionally(new AssertionError("no answer"));
                  }
                });
    call.onNext(request);
    call.onCompleted();
    return answer.join();
  }
}
