package io.rapport.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.lang.ArchCondition;
import com.tngtech.archunit.lang.ConditionEvents;
import com.tngtech.archunit.lang.SimpleConditionEvent;
import java.sql.Connection;
import java.time.Clock;
import java.util.Date;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.jooq.DSLContext;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.Test;

class ArchitectureTest {
  private static final String PLATFORM = "io.rapport.platform";
  private static final String RESOURCE = PLATFORM + ".resource";
  private static final String IDENTITY = "io.rapport.identity";
  private static final String EVENT = "io.rapport.tracking.event";
  private static final String CONTRACT = "io.rapport.tracking.contract";
  private static final String PROPERTY = "io.rapport.tracking.property";
  private static final String DATASET = "io.rapport.versioning.dataset";
  private static final String SERVER = "io.rapport.server";

  /** What other packages use of an area, beside its feature. */
  private static final Set<String> SHARED =
      Set.of(
          IDENTITY + ".UserStore",
          CONTRACT + ".Contracts",
          CONTRACT + ".TenantContracts",
          CONTRACT + ".Verdict",
          EVENT + ".EventPartitions",
          EVENT + ".SensitiveKeys",
          PROPERTY + ".PropertyStore",
          PROPERTY + ".DeclaredProperty",
          DATASET + ".TrainingRequests");

  private static final Set<String> SQL_METHODS =
      Set.of(
          "batch",
          "condition",
          "execute",
          "fetch",
          "fetchLazy",
          "fetchOne",
          "fetchOptional",
          "field",
          "query",
          "resultQuery",
          "sql",
          "table");

  private static final JavaClasses main =
      new ClassFileImporter()
          .importUrl(RapportServer.class.getProtectionDomain().getCodeSource().getLocation());

  @Test
  void platformSeesNoArea() {
    noClasses()
        .that()
        .resideInAPackage(PLATFORM + "..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.rapport.identity..", "io.rapport.tracking..", SERVER)
        .check(main);
  }

  @Test
  void platformDoesNotSeeWhatStandsOnIt() {
    noClasses()
        .that()
        .resideInAPackage(PLATFORM)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(RESOURCE)
        .check(main);
  }

  @Test
  void identitySeesPlatformOnly() {
    noClasses()
        .that()
        .resideInAPackage(IDENTITY)
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.rapport.tracking..", SERVER)
        .check(main);
  }

  @Test
  void trackingDoesNotSeeTheServer() {
    noClasses()
        .that()
        .resideInAnyPackage(CONTRACT, EVENT, PROPERTY)
        .should()
        .dependOnClassesThat()
        .resideInAPackage(SERVER)
        .check(main);
  }

  @Test
  void versioningSeesNoOtherArea() {
    noClasses()
        .that()
        .resideInAPackage("io.rapport.versioning..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("io.rapport.tracking..", "io.rapport.caching..", SERVER)
        .check(main);
  }

  @Test
  void packagesFormNoCycle() {
    slices().matching("io.rapport.(**)").should().beFreeOfCycles().check(main);
  }

  @Test
  void onlyStoresKnowTables() {
    noClasses()
        .that(areNotPartOf("Store"))
        .and()
        .doNotHaveFullyQualifiedName(EVENT + ".EventPartitions")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("io.rapport.db.generated..")
        .because("a renamed column must break one class, not a feature")
        .check(main);
  }

  @Test
  void onlyStoresWriteSqlAsText() {
    noClasses()
        .that(areNotPartOf("Store"))
        .and()
        .doNotHaveFullyQualifiedName(PLATFORM + ".TenantConnection")
        .and()
        .doNotHaveFullyQualifiedName(PLATFORM + ".ChangeLog")
        .should()
        .callMethodWhere(
            is(
                "takes SQL as text",
                call ->
                    isSqlOwner(call)
                        && SQL_METHODS.contains(call.getTarget().getName())
                        && takesTextFirst(call)))
        .orShould()
        .callMethodWhere(
            is(
                "prepares a statement",
                call ->
                    call.getTargetOwner().isAssignableTo(Connection.class)
                        && Set.of("prepareStatement", "prepareCall", "createStatement")
                            .contains(call.getTarget().getName())))
        .check(main);
  }

  @Test
  void timeComesFromAClock() {
    noClasses()
        .should()
        .callMethodWhere(
            is(
                "asks the system for the time",
                call ->
                    call.getTargetOwner().getPackageName().equals("java.time")
                        && call.getTarget().getName().equals("now")
                        && call.getTarget().getRawParameterTypes().stream()
                            .noneMatch(type -> type.isEquivalentTo(Clock.class))))
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callConstructor(Date.class)
        .because("tests must be able to set the time")
        .check(main);
  }

  @Test
  void onlyTheProcessPrints() {
    noClasses()
        .that()
        .doNotBelongToAnyOf(Main.class, Serve.class, Token.class)
        .should()
        .accessField(System.class, "out")
        .orShould()
        .accessField(System.class, "err")
        .orShould()
        .callMethod(Throwable.class, "printStackTrace")
        .check(main);
  }

  @Test
  void nothingIsBoundToThreads() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .areAssignableTo(ThreadLocal.class)
        .because("there are as many threads as calls")
        .check(main);
  }

  @Test
  void onlyTheTokenLibraryNeedsOldDates() {
    noClasses()
        .that()
        .haveNameNotMatching("io\\.rapport\\.(platform\\.JwksVerifier|server\\.Token)(\\$.*)?")
        .should()
        .dependOnClassesThat()
        .belongToAnyOf(Date.class, java.util.Calendar.class)
        .check(main);
  }

  /** The indexer only answers with one that is complete already. */
  @Test
  void blockingCodeNeedsNoFutures() {
    noClasses()
        .that()
        .doNotHaveFullyQualifiedName(PROPERTY + ".PropertyIndexer")
        .should()
        .dependOnClassesThat()
        .areAssignableTo(CompletableFuture.class)
        .check(main);
  }

  @Test
  void areasShowTheirFeatureAndWhatOthersUse() {
    classes()
        .that()
        .resideInAnyPackage(IDENTITY, CONTRACT, EVENT, PROPERTY, DATASET)
        .and()
        .arePublic()
        .and()
        .areTopLevelClasses()
        .should(
            be(
                "a feature or used elsewhere",
                it -> it.getSimpleName().endsWith("Feature") || SHARED.contains(it.getName())))
        .check(main);
  }

  @Test
  void whatIsSharedIsUsedElsewhere() {
    classes()
        .that(is("are shared", (JavaClass it) -> SHARED.contains(it.getName())))
        .should(
            be(
                "used by another package",
                it ->
                    it.getDirectDependenciesToSelf().stream()
                        .anyMatch(
                            d -> !d.getOriginClass().getPackageName().equals(it.getPackageName()))))
        .check(main);
  }

  @Test
  void namesSayWhatAClassIs() {
    noClasses()
        .should()
        .haveNameMatching(".*(Utils?|Helper|Manager|Impl|Constants)")
        .orShould()
        .haveSimpleNameStartingWith("Abstract")
        .check(main);
  }

  private static boolean isSqlOwner(JavaAccess<?> call) {
    return call.getTargetOwner().isAssignableTo(DSLContext.class)
        || call.getTargetOwner().isAssignableTo(DSL.class);
  }

  private static boolean takesTextFirst(JavaMethodCall call) {
    var parameters = call.getTarget().getRawParameterTypes();
    return !parameters.isEmpty() && parameters.getFirst().isEquivalentTo(String.class);
  }

  /** A nested class belongs to the class around it. */
  private static DescribedPredicate<JavaClass> areNotPartOf(String suffix) {
    return is(
        "are not part of a *" + suffix,
        it -> {
          JavaClass top = it;
          while (top.getEnclosingClass().isPresent()) {
            top = top.getEnclosingClass().get();
          }
          return !top.getSimpleName().endsWith(suffix);
        });
  }

  private static <T> DescribedPredicate<T> is(
      String description, java.util.function.Predicate<T> test) {
    return DescribedPredicate.describe(description, test);
  }

  private static ArchCondition<JavaClass> be(
      String description, java.util.function.Predicate<JavaClass> test) {
    return new ArchCondition<>("be " + description) {
      @Override
      public void check(JavaClass item, ConditionEvents events) {
        events.add(
            new SimpleConditionEvent(item, test.test(item), item.getName() + ": " + description));
      }
    };
  }
}
