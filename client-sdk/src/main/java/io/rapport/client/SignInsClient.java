package io.rapport.client;

import io.rapport.identity.v1.CheckSignInRequest;
import io.rapport.identity.v1.CheckSignInResponse;
import io.rapport.identity.v1.GetSignInRequest;
import io.rapport.identity.v1.ListSignInsRequest;
import io.rapport.identity.v1.ListSignInsResponse;
import io.rapport.identity.v1.SignIn;
import io.rapport.identity.v1.SignInRequest;
import io.rapport.identity.v1.SignInResponse;
import io.rapport.identity.v1.SignInServiceGrpc;
import io.rapport.identity.v1.SignOutAllRequest;
import io.rapport.identity.v1.SignOutAllResponse;
import io.rapport.identity.v1.SignOutRequest;
import io.rapport.identity.v1.SignOutResponse;
import java.util.Optional;
import java.util.stream.Stream;

/** Signs users in and out. Every method may throw a {@link RapportException}. */
public final class SignInsClient {
  private final Calls calls;
  private final Rpc<GetSignInRequest, SignIn> get;
  private final Rpc<ListSignInsRequest, ListSignInsResponse> list;
  private final Rpc<SignInRequest, SignInResponse> signIn;
  private final Rpc<CheckSignInRequest, CheckSignInResponse> check;
  private final Rpc<SignOutRequest, SignOutResponse> signOut;
  private final Rpc<SignOutAllRequest, SignOutAllResponse> signOutAll;

  SignInsClient(Calls calls) {
    this.calls = calls;
    this.get = calls.rpc(SignInServiceGrpc.getGetSignInMethod());
    this.list = calls.rpc(SignInServiceGrpc.getListSignInsMethod());
    this.signIn = calls.rpc(SignInServiceGrpc.getSignInMethod());
    this.check = calls.rpc(SignInServiceGrpc.getCheckSignInMethod());
    this.signOut = calls.rpc(SignInServiceGrpc.getSignOutMethod());
    this.signOutAll = calls.rpc(SignInServiceGrpc.getSignOutAllMethod());
  }

  /** The sign-in with this UUID; empty if there is none. */
  public Optional<SignIn> get(String id) {
    return get(GetSignInRequest.newBuilder().setId(id).build());
  }

  private Optional<SignIn> get(GetSignInRequest request) {
    try {
      return Optional.of(calls.call(get, request));
    } catch (NotFoundException absent) {
      return Optional.empty();
    }
  }

  /**
   * The sign-ins that pass the request's filter, in its order, fetched page by page as the stream
   * is read.
   */
  public Stream<SignIn> list(ListSignInsRequest request) {
    return Pages.stream(
        request.getPageToken(),
        token -> {
          ListSignInsResponse page =
              calls.call(list, request.toBuilder().setPageToken(token).build());
          return new Pages.Page<>(page.getSignInsList(), page.getNextPageToken());
        });
  }

  /**
   * Signs a user in.
   *
   * @return the sign-in and its token, which is told this once; empty if the answer of an earlier
   *     try was lost, and then it is to be done again
   * @throws NotFoundException if the user is not there or not active
   */
  public SignInResponse signIn(SignInRequest request) {
    return calls.call(signIn, request);
  }

  /** Whether a token holds, and if not, why. */
  public CheckSignInResponse check(String token) {
    return calls.call(check, CheckSignInRequest.newBuilder().setToken(token).build());
  }

  /**
   * Ends the sign-in of a token; to end it again changes nothing.
   *
   * @throws NotFoundException if there is none
   */
  public SignIn signOut(String token) {
    return calls.call(signOut, SignOutRequest.newBuilder().setToken(token).build()).getSignIn();
  }

  /**
   * Ends all sign-ins of a user.
   *
   * @return how many
   * @throws NotFoundException if the user is not there
   */
  public int signOutAll(String userId) {
    return calls
        .call(signOutAll, SignOutAllRequest.newBuilder().setUserId(userId).build())
        .getCount();
  }
}
