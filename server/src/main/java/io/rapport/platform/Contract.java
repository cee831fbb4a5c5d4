package io.rapport.platform;

import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.DescriptorValidationException;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import com.google.protobuf.ExtensionRegistry;
import io.grpc.protobuf.ProtoServiceDescriptorSupplier;
import io.rapport.platform.v1.Access;
import io.rapport.platform.v1.AccessProto;
import io.rapport.platform.v1.ResourceProto;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The contract as its authors wrote it: descriptors with their comments, and rights. */
public final class Contract {
  private static final String RESOURCE = "/io/rapport/contract.binpb";

  private final Map<String, FileDescriptor> files;

  private Contract(Map<String, FileDescriptor> files) {
    this.files = files;
  }

  public static Contract load() {
    try (InputStream in = Contract.class.getResourceAsStream(RESOURCE)) {
      if (in == null) {
        throw new IllegalStateException(RESOURCE + " is not on the class path");
      }
      ExtensionRegistry extensions = ExtensionRegistry.newInstance();
      extensions.add(AccessProto.access);
      ResourceProto.registerAllExtensions(extensions);
      return new Contract(link(FileDescriptorSet.parseFrom(in, extensions)));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The set is in an order in which each file comes after those that it imports. */
  private static Map<String, FileDescriptor> link(FileDescriptorSet set) {
    Map<String, FileDescriptor> linked = new HashMap<>();
    for (FileDescriptorProto file : set.getFileList()) {
      FileDescriptor[] imports =
          file.getDependencyList().stream().map(linked::get).toArray(FileDescriptor[]::new);
      try {
        linked.put(file.getName(), FileDescriptor.buildFrom(file, imports));
      } catch (DescriptorValidationException e) {
        throw new IllegalStateException(file.getName() + " is not a valid contract", e);
      }
    }
    return linked;
  }

  /** The project's own services. */
  public List<ServiceDescriptor> services() {
    List<ServiceDescriptor> services = new ArrayList<>();
    for (FileDescriptor file : ownFiles()) {
      services.addAll(file.getServices());
    }
    return Collections.unmodifiableList(services);
  }

  /** The project's own files. */
  public Collection<FileDescriptor> ownFiles() {
    return files.values().stream().filter(f -> f.getPackage().startsWith("rapport.")).toList();
  }

  /** The right that an RPC needs; empty if it declares none. */
  public static Optional<String> right(MethodDescriptor method) {
    String right = method.getOptions().getExtension(AccessProto.access).getRight();
    return right.isEmpty() ? Optional.empty() : Optional.of(right);
  }

  /** What a call of an RPC counts against. */
  static Access.Lane lane(MethodDescriptor method) {
    return method.getOptions().getExtension(AccessProto.access).getLane();
  }

  /** What reflection shows of a service. */
  ProtoServiceDescriptorSupplier documented(String fullServiceName) {
    for (ServiceDescriptor service : services()) {
      if (service.getFullName().equals(fullServiceName)) {
        return new Documented(service);
      }
    }
    throw new IllegalArgumentException(fullServiceName + " is not part of the contract");
  }

  private record Documented(ServiceDescriptor service) implements ProtoServiceDescriptorSupplier {
    @Override
    public ServiceDescriptor getServiceDescriptor() {
      return service;
    }

    @Override
    public FileDescriptor getFileDescriptor() {
      return service.getFile();
    }
  }
}
