/* A disk that fails on request, for LD_PRELOAD.
 *
 * Counts the calls of one kind on files below a directory, and lets one of them fail:
 *
 *   FAULT_BELOW   the directory, or several with colons between them
 *   FAULT_CALL    pread, write, pwrite, fsync, fdatasync, rename, open, ftruncate, mkdir or unlink
 *   FAULT_AT      the number of the call, from 1
 *   FAULT_KIND    ENOSPC, EIO, EDQUOT, EMFILE: the error that it ends with;
 *                 SHORT: a write of half its bytes; TORN: half is written, then the process dies;
 *                 KILL: the process dies before the call
 *   FAULT_LASTS   when set, all later calls of the kind fail too, as on a full disk
 *   FAULT_HEAL    a file with whose making a lasting failure is over, as when somebody has made room
 *   FAULT_MARK    a file that is made when a call was made to fail
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *below, *call, *kind, *mark, *heal;
static long at;
static int lasts;
static atomic_long count;

__attribute__((constructor)) static void begin(void) {
    below = getenv("FAULT_BELOW");
    call = getenv("FAULT_CALL");
    kind = getenv("FAULT_KIND");
    mark = getenv("FAULT_MARK");
    heal = getenv("FAULT_HEAL");
    at = getenv("FAULT_AT") ? atol(getenv("FAULT_AT")) : 0;
    lasts = getenv("FAULT_LASTS") != NULL;
}

static int is_below(const char *path) {
    for (const char *one = below; one && *one;) {
        const char *end = strchrnul(one, ':');
        if (strncmp(path, one, (size_t)(end - one)) == 0) return 1;
        one = *end ? end + 1 : end;
    }
    return 0;
}

static int is_ours(int descriptor) {
    char link[64] = "/proc/self/fd/", digits[16], path[4096];
    int used = 0, value = descriptor;
    if (descriptor < 0) return 0;
    do digits[used++] = (char)('0' + value % 10); while ((value /= 10) > 0);
    for (char *end = link + strlen(link); used > 0; *end = 0) *end++ = digits[--used];
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path);
}

/* Whether this call is the one; errno is set for an error. */
static int is_due(const char *name) {
    if (!call || strcmp(call, name) != 0) return 0;
    long number = atomic_fetch_add(&count, 1) + 1;
    if (number != at && !(lasts && number > at)) return 0;
    if (number != at && heal && syscall(SYS_faccessat, AT_FDCWD, heal, F_OK) == 0) return 0;
    if (mark) {
        int file = (int)syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY, 0600);
        if (file >= 0) syscall(SYS_close, file);
    }
    if (strcmp(kind, "KILL") == 0) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    errno = strcmp(kind, "ENOSPC") == 0   ? ENOSPC
            : strcmp(kind, "EDQUOT") == 0 ? EDQUOT
            : strcmp(kind, "EMFILE") == 0 ? EMFILE
                                          : EIO;
    return 1;
}

/* What a failing write returns: nothing, or half of it. */
static ssize_t fail_write(int descriptor, const void *bytes, size_t size, off_t offset) {
    int is_torn = strcmp(kind, "TORN") == 0;
    if (!is_torn && strcmp(kind, "SHORT") != 0) return -1;
    if (size < 2 && !is_torn) return -1;
    ssize_t written = offset < 0 ? syscall(SYS_write, descriptor, bytes, size / 2)
                                 : syscall(SYS_pwrite64, descriptor, bytes, size / 2, offset);
    if (is_torn) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
    return written;
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    if (call && is_ours(descriptor) && is_due("write")) return fail_write(descriptor, bytes, size, -1);
    return syscall(SYS_write, descriptor, bytes, size);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t offset) {
    if (call && is_ours(descriptor) && is_due("pwrite")) return fail_write(descriptor, bytes, size, offset);
    return syscall(SYS_pwrite64, descriptor, bytes, size, offset);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
    return pwrite64(descriptor, bytes, size, offset);
}

/* A bad sector. SQLite takes half a read for the end of its file: only errors are made up. */
ssize_t pread64(int descriptor, void *bytes, size_t size, off_t offset) {
    if (call && is_ours(descriptor) && is_due("pread")) return -1;
    return syscall(SYS_pread64, descriptor, bytes, size, offset);
}

ssize_t pread(int descriptor, void *bytes, size_t size, off_t offset) {
    return pread64(descriptor, bytes, size, offset);
}

int fsync(int descriptor) {
    if (call && is_ours(descriptor) && is_due("fsync")) return -1;
    return (int)syscall(SYS_fsync, descriptor);
}

/* SQLite ignores how its sync of a directory ended; the program does one of its own, with fsync. */
static int is_directory(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && S_ISDIR(status.st_mode);
}

int fdatasync(int descriptor) {
    if (call && !is_directory(descriptor) && is_ours(descriptor) && is_due("fdatasync")) return -1;
    return (int)syscall(SYS_fdatasync, descriptor);
}

int rename(const char *from, const char *to) {
    if (call && is_below(to) && is_due("rename")) return -1;
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int mkdir(const char *path, mode_t mode) {
    if (call && is_below(path) && is_due("mkdir")) return -1;
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

/* What a directory is emptied with is named by descriptor: only names that the program itself gives count. */
int unlink(const char *path) {
    if (call && is_below(path) && is_due("unlink")) return -1;
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

int ftruncate64(int descriptor, off_t size) {
    if (call && is_ours(descriptor) && is_due("ftruncate")) return -1;
    return (int)syscall(SYS_ftruncate, descriptor, size);
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

static int opening(int directory, const char *path, int flags, mode_t mode) {
    if (call && is_below(path) && is_due("open")) return -1;
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

#include "open_calls.h"
