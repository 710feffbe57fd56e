/* Stands between the server and the disk: what fdatasync does to a file below a folder named "log" is decided by the file that
 * BACKROOM_TEST_DISK names. "hold" waits until that changes, "fail" answers EIO, anything else goes through. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char mode(void) {
  const char *path = getenv("BACKROOM_TEST_DISK");
  char first = 'o';
  int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd >= 0) {
    if (read(fd, &first, 1) != 1) first = 'o';
    close(fd);
  }
  return first;
}

static void tell(void) {
  const char *path = getenv("BACKROOM_TEST_DISK");
  char held[4096];
  snprintf(held, sizeof held, "%s.held", path);
  int fd = open(held, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
}

int fdatasync(int fd) {
  static int (*real)(int);
  if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");
  char link[64], target[4096];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t n = readlink(link, target, sizeof target - 1);
  if (n > 0) {
    target[n] = 0;
    if (strstr(target, "/log/")) {
      if (mode() == 'h') tell();
      while (mode() == 'h') usleep(2000);
      if (mode() == 'f') {
        errno = EIO;
        return -1;
      }
    }
  }
  return real(fd);
}
