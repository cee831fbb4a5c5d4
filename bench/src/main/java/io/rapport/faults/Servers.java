package io.rapport.faults;

import io.grpc.EquivalentAddressGroup;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import io.grpc.NameResolver;
import io.grpc.NameResolverProvider;
import io.grpc.NameResolverRegistry;
import io.grpc.StatusOr;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.util.List;
import java.util.stream.Stream;

/** Lets channels find several servers of this machine, as a name of many addresses would. */
final class Servers extends NameResolverProvider {
  private static final String SCHEME = "servers";

  private Servers() {}

  /** Takes the servers in turn; without retries, each call is tried once. */
  static ManagedChannel channel(List<Integer> ports, boolean retries) {
    NameResolverRegistry.getDefaultRegistry().register(new Servers());
    String target =
        SCHEME + ":///" + String.join(",", ports.stream().map(String::valueOf).toList());
    ManagedChannelBuilder<?> builder =
        ManagedChannelBuilder.forTarget(target)
            .usePlaintext()
            .defaultLoadBalancingPolicy("round_robin");
    return (retries ? builder : builder.disableRetry()).build();
  }

  @Override
  protected boolean isAvailable() {
    return true;
  }

  @Override
  protected int priority() {
    return 5;
  }

  @Override
  public String getDefaultScheme() {
    return SCHEME;
  }

  @Override
  public NameResolver newNameResolver(URI target, NameResolver.Args arguments) {
    List<EquivalentAddressGroup> addresses =
        Stream.of(target.getPath().substring(1).split(","))
            .map(Integer::valueOf)
            .map(port ->
                new EquivalentAddressGroup(
                    new InetSocketAddress(InetAddress.getLoopbackAddress(), port)))
            .toList();
    return new Fixed(addresses);
  }

  private static final class Fixed extends NameResolver {
    private final List<EquivalentAddressGroup> addresses;

    private Fixed(List<EquivalentAddressGroup> addresses) {
      this.addresses = addresses;
    }

    @Override
    public String getServiceAuthority() {
      return "127.0.0.1";
    }

    @Override
    public void start(Listener2 listener) {
      listener.onResult(
          ResolutionResult.newBuilder().setAddressesOrError(StatusOr.fromValue(addresses)).build());
    }

    @Override
    public void shutdown() {
      // holds nothing
    }
  }
}
