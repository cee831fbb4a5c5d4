# shellcheck shell=bash
# What the scripts beside this file share; sourced by them, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)

say() { printf 'rapport: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

is_root() { [ "$(id -u)" = 0 ]; }
can_apt() { is_root && command -v apt-get >/dev/null; }

apt_install() {
  say "installing $*"
  if [ -z "${APT_UPDATED:-}" ]; then
    apt-get -qq update >&2 || die "apt-get update failed"
    APT_UPDATED=1
  fi
  DEBIAN_FRONTEND=noninteractive apt-get -qq -y install --no-install-recommends "$@" >&2 </dev/null \
    || die "apt-get could not install $*"
}

# Silences what Maven 3.8 does to JDK 25.
export MAVEN_OPTS="--sun-misc-unsafe-memory-access=allow ${MAVEN_OPTS:-}"

# --- Java and Maven ---------------------------------------------------------------------------

jdk_major() {
  [ -x "$1/bin/javac" ] || return 1
  "$1/bin/javac" -version 2>&1 | sed -n 's/^javac \([0-9]*\).*/\1/p'
}

is_jdk_25() {
  local major
  major=$(jdk_major "$1") && [ -n "$major" ] && [ "$major" -ge 25 ]
}

# Sets JAVA_HOME to a JDK 25 or newer.
find_jdk() {
  local place on_path=""
  if command -v javac >/dev/null; then
    on_path=$(dirname "$(dirname "$(readlink -f "$(command -v javac)")")")
  fi
  for place in "${JAVA_HOME:-}" "$on_path" /usr/lib/jvm/* "${SDKMAN_DIR:-$HOME/.sdkman}"/candidates/java/* \
    /Library/Java/JavaVirtualMachines/*/Contents/Home /opt/homebrew/opt/openjdk/libexec/openjdk.jdk/Contents/Home; do
    if [ -n "$place" ] && is_jdk_25 "$place"; then
      export JAVA_HOME=$place
      return
    fi
  done
  die "no JDK 25 or newer found; install one (Temurin, your distribution's openjdk-25-jdk, or 'sdk install java 25-tem') and set JAVA_HOME"
}

ensure_maven() {
  command -v mvn >/dev/null && return
  if can_apt; then
    apt_install maven
  else
    die "Maven is missing; install it (Debian: maven, Fedora: maven, Homebrew: maven)"
  fi
}

# --- PostgreSQL and pgvector --------------------------------------------------------------------

# Prints the directory of the newest PostgreSQL server, 15 or newer.
postgres_bin() {
  local place major best=0 found=""
  for place in "${RAPPORT_POSTGRES_BIN:-}" /usr/lib/postgresql/*/bin /usr/pgsql-*/bin \
    /opt/homebrew/opt/postgresql@*/bin /usr/local/opt/postgresql@*/bin /opt/homebrew/bin \
    /usr/local/pgsql/bin /usr/local/bin /usr/bin; do
    if ! [ -x "$place/initdb" ] || ! [ -x "$place/pg_ctl" ] || ! [ -x "$place/postgres" ]; then continue; fi
    major=$("$place/postgres" --version | sed -n 's/.*PostgreSQL) \([0-9]*\).*/\1/p')
    if [ "${major:-0}" -ge 15 ] && [ "$place" = "${RAPPORT_POSTGRES_BIN:-}" ]; then
      echo "$place"
      return
    fi
    if [ "${major:-0}" -gt "$best" ]; then best=$major found=$place; fi
  done
  [ "$best" -ge 15 ] && echo "$found"
}

# Whether the server at $1 has pgvector.
has_pgvector() {
  local share
  if [ -x "$1/pg_config" ]; then
    share=$("$1/pg_config" --sharedir)
  else
    share=/usr/share/postgresql/$(basename "$(dirname "$1")")
  fi
  [ -e "$share/extension/vector.control" ]
}

# Installs PostgreSQL 15 or newer and pgvector, unless they are there.
ensure_postgres() {
  local bin
  if ! bin=$(postgres_bin); then
    install_postgres
    bin=$(postgres_bin) || die "PostgreSQL was installed, but is not 15 or newer"
  fi
  has_pgvector "$bin" && return
  install_pgvector "$bin"
  has_pgvector "$bin" || die "pgvector was installed, but not for the PostgreSQL at $bin"
}

install_postgres() {
  if can_apt; then
    # A server of its own is started by the package only if we don't say that nobody needs it.
    if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
      mkdir -p /etc/postgresql-common
      printf 'create_main_cluster = false\n' >/etc/postgresql-common/createcluster.conf
    fi
    apt_install postgresql
  elif is_root && command -v dnf >/dev/null; then
    say "installing postgresql-server and postgresql-contrib"
    dnf -q -y install postgresql-server postgresql-contrib >&2
  elif command -v brew >/dev/null; then
    brew install postgresql@17 >&2
  else
    die "PostgreSQL 15 or newer is missing; install its server and pgvector (Debian: postgresql and postgresql-NN-pgvector, Fedora: postgresql-server, postgresql-contrib and pgvector, Homebrew: postgresql@17 and pgvector)"
  fi
}

install_pgvector() {
  local bin=$1 major
  major=$("$bin/postgres" --version | sed -n 's/.*PostgreSQL) \([0-9]*\).*/\1/p')
  if can_apt; then
    apt-get -qq update >&2 && APT_UPDATED=1
    if apt-cache show "postgresql-$major-pgvector" >/dev/null 2>&1; then
      apt_install "postgresql-$major-pgvector"
    else
      build_pgvector "$bin" "$major"
    fi
  elif is_root && command -v dnf >/dev/null; then
    say "installing pgvector"
    dnf -q -y install pgvector >&2
  elif command -v brew >/dev/null; then
    brew install pgvector >&2
  else
    die "pgvector is missing for the PostgreSQL $major at $bin; install it (Debian: postgresql-$major-pgvector, Fedora: pgvector, Homebrew: pgvector)"
  fi
}

# Debian 12 has no package of pgvector: builds the source package of Debian 13 against the
# PostgreSQL that is installed. apt itself fetches and verifies it.
build_pgvector() (
  bin=$1 major=$2
  say "building pgvector for PostgreSQL $major"
  apt_install build-essential dpkg-dev "postgresql-server-dev-$major"
  dir=$(mktemp -d)
  trap 'rm -rf "$dir"' EXIT
  chmod 755 "$dir"
  mkdir -p "$dir/lists/partial" "$dir/cache/archives/partial" "$dir/source"
  trixie_source >"$dir/trixie.list"
  apt_options=(-qq -o "Dir::Etc::sourcelist=$dir/trixie.list" -o Dir::Etc::sourceparts=-
    -o "Dir::State::lists=$dir/lists" -o "Dir::Cache=$dir/cache" -o APT::Sandbox::User=root)
  apt-get "${apt_options[@]}" update >&2 || die "could not read Debian 13's list of sources"
  cd "$dir/source" || exit
  apt-get "${apt_options[@]}" source --download-only pgvector >&2 \
    || die "could not fetch the source package pgvector"
  dpkg-source --no-check -x ./*.dsc tree >&2
  make -s -C tree OPTFLAGS="" PG_CONFIG="$bin/pg_config" >&2
  make -s -C tree install PG_CONFIG="$bin/pg_config" >&2
)

# Prints a source line for Debian 13 with the mirror and the key that this machine uses.
trixie_source() {
  local file uri="" key=""
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -e "$file" ] || continue
    uri=$(sed -n 's/^URIs: *\([^ ]*\/debian\)\/\{0,1\}\( .*\)\{0,1\}$/\1/p' "$file" | head -n 1)
    key=$(sed -n 's/^Signed-By: *\(\/[^ ]*\).*/\1/p' "$file" | head -n 1)
    [ -n "$uri" ] && break
  done
  if [ -z "$uri" ]; then
    uri=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null |
      sed -n 's/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\/debian\)\/\{0,1\} .*/\2/p' | head -n 1)
  fi
  [ -n "$uri" ] || die "no Debian mirror among apt's sources; install pgvector by hand"
  [ -n "$key" ] || key=/usr/share/keyrings/debian-archive-keyring.gpg
  echo "deb-src [signed-by=$key] $uri trixie main"
}

# --- Build --------------------------------------------------------------------------------------

sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; }

# One digest of the names and contents of all files in what is named.
digest_of() (
  cd "$ROOT" || exit
  files=$(find "$@" -type f | LC_ALL=C sort)
  { echo "$files"; tr '\n' '\0' <<<"$files" | xargs -0 cat; } | sha256 | cut -d' ' -f1
)

# Runs a command while no other script of this checkout builds.
alone() (
  mkdir -p "$ROOT/target"
  if command -v flock >/dev/null; then
    exec 9>"$ROOT/target/build.lock"
    flock -n 9 || { say "waiting for another build"; flock 9; }
    "$@" 9>&-
  else
    until mkdir "$ROOT/target/build.lock.d" 2>/dev/null; do sleep 1; done
    trap 'rmdir "$ROOT/target/build.lock.d"' EXIT
    "$@"
  fi
)

DB_SOURCES=(pom.xml .mvn db/pom.xml db/src)

# Builds the modules, unless what they are built from is as it was; of db alone if that is named.
build_if_changed() {
  if [ "$1" = db ]; then
    alone build_now db "-pl db -am" "${DB_SOURCES[@]}"
  else
    (cd "$ROOT" && alone build_all pom.xml .mvn ./*/pom.xml ./*/src proto/rapport)
  fi
}

build_all() {
  build_now all "" "$@"
  digest_of "${DB_SOURCES[@]}" >"$ROOT/target/build-db.digest" # which is built, too
  train
}

build_now() {
  local stamp="$ROOT/target/build-$1.digest" choice=$2 digest
  shift 2
  digest=$(digest_of "$@")
  if [ -e "$stamp" ] && [ "$(cat "$stamp")" = "$digest" ]; then return; fi
  say "building (the first time takes some minutes)"
  rm -f "$stamp" "$ROOT"/target/server-*.aot
  # shellcheck disable=SC2086
  (cd "$ROOT" && mvn -B -ntp -DskipTests -Dorg.slf4j.simpleLogger.defaultLogLevel=warn \
    $choice package >&2 </dev/null) || die "the build failed"
  echo "$digest" >"$stamp"
}

# Where Java keeps what it knows of the server's classes: it serves for this build and this Java.
java_cache() { echo "$ROOT/target/server-$(sha256 <"$JAVA_HOME/release" | cut -c1-12).aot"; }

# Lets Java learn the server's classes by running it a little. The server starts in less than half
# the time by it; without it, it starts all the same.
train() (
  cache=$(java_cache)
  log=$ROOT/target/train.log
  [ -e "$cache" ] && return
  say "preparing a quick start"
  JAVA_FLAGS=-Drapport.training="$cache.new"
  if (run_java bench io.rapport.bench.Training) >"$log" 2>&1 && [ -e "$cache.new" ]; then
    mv "$cache.new" "$cache"
  else
    say "the server will start slowly: $log says why"
  fi
)

# Finds or installs what is missing, and builds all modules or only db.
prepare() {
  find_jdk
  ensure_maven
  ensure_postgres
  build_if_changed "$1"
}

# The server's JVM: small at rest and under load, and giving back what it doesn't need.
export RAPPORT_JAVA_OPTIONS=${RAPPORT_JAVA_OPTIONS:--XX:+UseSerialGC -Xms128m -Xmx192m -Xmn80m -XX:ReservedCodeCacheSize=64m -XX:TrimNativeHeapInterval=5000}
export MALLOC_ARENA_MAX=${MALLOC_ARENA_MAX:-2}

class_path() { echo "$ROOT/$1/target/*:$ROOT/$1/target/lib/*"; }

# Becomes the main class $2 of the module $1, with the other arguments; JAVA_FLAGS are the JVM's,
# and JAVA_CACHE is what it knows of the classes.
run_java() {
  local module=$1 main=$2
  shift 2
  # shellcheck disable=SC2086
  exec "$JAVA_HOME/bin/java" --enable-native-access=ALL-UNNAMED ${JAVA_FLAGS:-} \
    ${JAVA_CACHE:+"-XX:AOTCache=$JAVA_CACHE"} -Drapport.checkout="$ROOT" \
    -Drapport.server.classpath="$(class_path server)" -Drapport.server.cache="$(java_cache)" \
    -cp "$(class_path "$module")" "$main" "$@"
}
