package io.rapport.db;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Counts, over all processes, who uses a data directory, so that the last one out can stop its
 * server. The counts are file locks, which the kernel takes back from a process that dies.
 */
final class DirectoryUse {
  /** File locks belong to the whole JVM, so it holds one for all its users of a directory. */
  private static final ConcurrentMap<Path, DirectoryUse> USES = new ConcurrentHashMap<>();

  /** What may be done while nobody else starts or stops the server. */
  interface Action<T> {
    T run() throws IOException;
  }

  private final Path directory;
  private final ReentrantLock turn = new ReentrantLock();
  private int users;
  private @Nullable FileChannel shared;

  private DirectoryUse(Path directory) {
    this.directory = directory;
  }

  static DirectoryUse of(Path directory) {
    return USES.computeIfAbsent(directory, DirectoryUse::new);
  }

  /** Becomes a user and runs {@code start}, alone; stays no user if it fails. */
  <T> T enter(Action<T> start) throws IOException {
    return alone(() -> {
      share();
      boolean started = false;
      try {
        T result = start.run();
        started = true;
        return result;
      } finally {
        if (!started) {
          leave();
        }
      }
    });
  }

  /** Ceases to be a user; runs {@code stop} if there was no other. */
  void exit(Action<?> stop) throws IOException {
    alone(() -> {
      if (leave()) {
        stop.run();
      }
      return directory;
    });
  }

  /** Runs {@code action} if nobody uses the directory. */
  void ifUnused(Action<?> action) throws IOException {
    alone(() -> {
      if (users == 0 && unusedElsewhere()) {
        action.run();
      }
      return directory;
    });
  }

  private <T> T alone(Action<T> action) throws IOException {
    turn.lock();
    try (FileChannel channel = open("lock");
        FileLock lock = channel.lock()) {
      assert lock.isValid();
      return action.run();
    } finally {
      turn.unlock();
    }
  }

  private void share() throws IOException {
    if (users++ == 0) {
      FileChannel channel = open("users");
      channel.lock(0, Long.MAX_VALUE, true);
      shared = channel;
    }
  }

  /** Returns whether nobody else is left. */
  private boolean leave() throws IOException {
    if (--users > 0) {
      return false;
    }
    FileChannel channel = shared;
    shared = null;
    if (channel != null) {
      channel.close();
    }
    return unusedElsewhere();
  }

  private boolean unusedElsewhere() throws IOException {
    try (FileChannel channel = open("users");
        FileLock lock = channel.tryLock()) {
      return lock != null;
    }
  }

  private FileChannel open(String name) throws IOException {
    return FileChannel.open(
        directory.resolve(name),
        StandardOpenOption.CREATE,
        StandardOpenOption.READ,
        StandardOpenOption.WRITE);
  }
}
