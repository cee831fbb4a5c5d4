package io.rapport.platform;

import com.google.protobuf.Descriptors.MethodDescriptor;
import com.google.protobuf.Descriptors.ServiceDescriptor;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Which right each RPC needs. */
public final class Rights {
  /** Stands for: anyone may call. */
  public static final String NONE = "";

  private static final String INSPECT = "inspect";

  private Rights() {}

  /** The right of every RPC that the process serves, by full method name. */
  public static Map<String, String> of(Contract contract) {
    Map<String, String> rights = new HashMap<>();
    for (ServiceDescriptor service : contract.services()) {
      for (MethodDescriptor method : service.getMethods()) {
        Contract.right(method)
            .ifPresent(right -> rights.put(service.getFullName() + "/" + method.getName(), right));
      }
    }
    rights.put("grpc.health.v1.Health/Check", NONE);
    rights.put("grpc.health.v1.Health/Watch", NONE);
    rights.put("grpc.health.v1.Health/List", NONE);
    rights.put("grpc.reflection.v1.ServerReflection/ServerReflectionInfo", INSPECT);
    return rights;
  }

  /** Every right there is. */
  public static Set<String> all(Contract contract) {
    Set<String> all = new HashSet<>(of(contract).values());
    all.remove(NONE);
    return all;
  }
}
