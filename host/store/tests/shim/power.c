/* Stands between the store and the disk. Remembers in a folder of its own what has been synced, and takes the power away at the
 * write or sync that it was told.
 *
 *   POWER_DIR     what is looked at: everything below this folder
 *   POWER_SHADOW  for each synced file `f<id>` with its bytes, for each synced folder `d<id>` with a line for each name in it;
 *                 at a regular end `count`
 *   POWER_AT      the number of the write or sync (the first is 1) that is not done any more; of a write half is done
 *
 * An id is inode and time of birth, as inodes are used again. One call at a time, so that what is remembered is what was there. */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long count;

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void broken(const char *what) {
  perror(what);
  _exit(78);
}

static int ours(int fd) {
  const char *dir = getenv("POWER_DIR");
  char link[64], target[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, target, sizeof target - 1);
  if (!dir || n <= 0) return 0;
  target[n] = 0;
  return strncmp(target, dir, strlen(dir)) == 0;
}

/* Whether this is the one. */
static int dies(void) {
  const char *at = getenv("POWER_AT");
  count++;
  return at && strtoul(at, 0, 10) == count;
}

static struct statx look(int fd) {
  struct statx found;
  if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &found)) broken("statx");
  return found;
}

static void id_of(char kind, const struct statx *found, char *to, size_t size) {
  snprintf(to, size, "%c%llu-%lld%09u", kind, (unsigned long long)found->stx_ino, (long long)found->stx_btime.tv_sec,
           found->stx_btime.tv_nsec);
}

static void remember_file(int fd, FILE *to) {
  char bytes[1 << 16];
  off_t at = 0;
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int from = open(path, O_RDONLY | O_CLOEXEC);
  if (from < 0) broken("open for reading");
  for (ssize_t n; (n = pread(from, bytes, sizeof bytes, at)) > 0; at += n)
    if (fwrite(bytes, 1, n, to) != (size_t)n) broken("remember");
  close(from);
}

static void remember_folder(int fd, FILE *to) {
  int again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR *dir = again < 0 ? 0 : fdopendir(again);
  if (!dir) broken("open a folder");
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, "..")) continue;
    struct statx found;
    if (statx(again, entry->d_name, AT_SYMLINK_NOFOLLOW, STATX_BASIC_STATS | STATX_BTIME, &found)) continue;
    char id[64];
    id_of(S_ISDIR(found.stx_mode) ? 'd' : 'f', &found, id, sizeof id);
    fprintf(to, "%s %s\n", id, entry->d_name);
  }
  closedir(dir);
}

static void remember(int fd) {
  struct statx found = look(fd);
  char id[64], path[4096];
  int folder = S_ISDIR(found.stx_mode);
  id_of(folder ? 'd' : 'f', &found, id, sizeof id);
  snprintf(path, sizeof path, "%s/%s", getenv("POWER_SHADOW"), id);
  FILE *to = fopen(path, "w");
  if (!to) broken(path);
  if (folder) remember_folder(fd, to);
  else remember_file(fd, to);
  if (fclose(to)) broken(path);
}

static int synced(int fd, int (*real)(int)) {
  if (!ours(fd)) return real(fd);
  pthread_mutex_lock(&lock);
  if (dies()) _exit(77);
  int done = real(fd);
  if (done == 0) remember(fd);
  pthread_mutex_unlock(&lock);
  return done;
}

int fsync(int fd) { return synced(fd, REAL(fsync)); }
int fdatasync(int fd) { return synced(fd, REAL(fdatasync)); }

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t at) {
  if (!ours(fd)) return REAL(pwrite64)(fd, bytes, size, at);
  pthread_mutex_lock(&lock);
  if (dies()) {
    if (REAL(pwrite64)(fd, bytes, size / 2, at) < 0) broken("half a write");
    _exit(77);
  }
  ssize_t done = REAL(pwrite64)(fd, bytes, size, at);
  pthread_mutex_unlock(&lock);
  return done;
}

ssize_t write(int fd, const void *bytes, size_t size) {
  if (!ours(fd)) return REAL(write)(fd, bytes, size);
  pthread_mutex_lock(&lock);
  if (dies()) {
    if (REAL(write)(fd, bytes, size / 2) < 0) broken("half a write");
    _exit(77);
  }
  ssize_t done = REAL(write)(fd, bytes, size);
  pthread_mutex_unlock(&lock);
  return done;
}

int ftruncate64(int fd, off64_t size) {
  if (!ours(fd)) return REAL(ftruncate64)(fd, size);
  pthread_mutex_lock(&lock);
  if (dies()) _exit(77);
  int done = REAL(ftruncate64)(fd, size);
  pthread_mutex_unlock(&lock);
  return done;
}

/* Starts writing, and makes nothing certain: no sync. */
int sync_file_range(int fd, off64_t from, off64_t size, unsigned int flags) {
  (void)fd, (void)from, (void)size, (void)flags;
  return 0;
}

__attribute__((destructor)) static void end(void) {
  const char *shadow = getenv("POWER_SHADOW");
  char path[4096];
  if (!shadow) return;
  snprintf(path, sizeof path, "%s/count", shadow);
  FILE *to = fopen(path, "w");
  if (to) {
    fprintf(to, "%lu", count);
    fclose(to);
  }
}
