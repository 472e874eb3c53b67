/* A power cut, for LD_PRELOAD: what was written below a directory and not synced since is taken back, then the process
 * is gone.
 *
 *   CUT_BELOW   the directory, or several with colons between them
 *   CUT_STORE   a directory on the same file system, where what is removed or replaced is kept until that is synced
 *   CUT_AT      the number of the fsync or fdatasync, from 1, before which the power fails; `end`: when the process ends
 *               by itself, which keeps its status
 *   CUT_SEED    when set, of what is unsynced only a part is lost, by chance: each 4 KB of a file by itself, and names
 *               from a chance one on, as on a file system that keeps their order
 *   CUT_TWIN    where a copy of the directory is made first, as a process leaves it that ends with the power on
 *   CUT_MARK    a file that is made at the cut, and says how much was taken back
 *
 * Nothing is really synced. A name (a new, removed or renamed file) is durable when its directory is synced, bytes and
 * length when the file is. SQLite's shared memory (-shm) is nobody's to keep: whoever opens it first makes it
 * anew. Memory runs out never.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BLOCK = 4096 };
enum kind { BYTES, LENGTH, MADE, MADE_DIRECTORY, REMOVED, REMOVED_DIRECTORY, RENAMED };

struct change {
    enum kind kind;
    int is_durable;
    /* Of bytes: which file, by a descriptor of our own that is never closed, and what stood there. */
    int file;
    off_t offset, old_length;
    size_t size;
    unsigned char *old;
    /* Of names. */
    char *path, *from, *kept;
};

struct file {
    dev_t device;
    ino_t number;
    int descriptor;
};

static const char *below, *store, *mark;
static long at = -1;
static unsigned seed;
static int is_by_chance, is_at_end;
static long syncs, kept_names;
static pid_t owner;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static struct change *changes;
static size_t change_count, change_room;
static struct file *files;
static size_t file_count;

__attribute__((constructor)) static void begin(void) {
    below = getenv("CUT_BELOW");
    store = getenv("CUT_STORE");
    mark = getenv("CUT_MARK");
    const char *when = getenv("CUT_AT"), *chance = getenv("CUT_SEED");
    is_at_end = when && strcmp(when, "end") == 0;
    at = when && !is_at_end ? atol(when) : -1;
    is_by_chance = chance != NULL;
    seed = chance ? (unsigned)atol(chance) : 0;
    owner = getpid();
    if (!store || !mark) below = NULL;
}

/* MARK: Which files */

static int is_memory(const char *path) {
    size_t length = strlen(path);
    return length > 4 && strcmp(path + length - 4, "-shm") == 0;
}

static int is_below(const char *path) {
    for (const char *one = below; one && *one;) {
        const char *end = strchrnul(one, ':');
        if (strncmp(path, one, (size_t)(end - one)) == 0) return !is_memory(path);
        one = *end ? end + 1 : end;
    }
    return 0;
}

/* The path of a descriptor; 0 when it is none of ours. */
static int path_of(int descriptor, char path[static 4096]) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = below ? readlink(link, path, 4095) : -1;
    if (length <= 0) return 0;
    path[length] = 0;
    return is_below(path);
}

static int own_descriptor(int descriptor) {
    struct stat status;
    fstat(descriptor, &status);
    for (size_t index = 0; index < file_count; index++)
        if (files[index].device == status.st_dev && files[index].number == status.st_ino)
            return files[index].descriptor;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    int own = (int)syscall(SYS_openat, AT_FDCWD, link, O_RDWR | O_CLOEXEC);
    files = realloc(files, (file_count + 1) * sizeof *files);
    files[file_count++] = (struct file){status.st_dev, status.st_ino, own};
    return own;
}

/* MARK: What has been done */

static struct change *add(enum kind kind) {
    if (change_count == change_room) {
        change_room = change_room ? change_room * 2 : 256;
        changes = realloc(changes, change_room * sizeof *changes);
    }
    changes[change_count] = (struct change){.kind = kind};
    return &changes[change_count++];
}

/* Before bytes are written or cut off: what stands there, in blocks. */
static void keep_bytes(int descriptor, off_t offset, size_t size) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return;
    int file = own_descriptor(descriptor);
    for (size_t done = 0; done < size;) {
        size_t part = BLOCK - (size_t)((offset + (off_t)done) % BLOCK);
        if (part > size - done) part = size - done;
        struct change *change = add(BYTES);
        change->file = file;
        change->offset = offset + (off_t)done;
        change->old_length = status.st_size;
        change->size = part;
        change->old = calloc(1, part);
        syscall(SYS_pread64, file, change->old, part, change->offset);
        done += part;
    }
}

static void keep_length(int descriptor, off_t next) {
    struct stat status;
    if (fstat(descriptor, &status) != 0) return;
    if (next < status.st_size) keep_bytes(descriptor, next, (size_t)(status.st_size - next));
    struct change *change = add(LENGTH);
    change->file = own_descriptor(descriptor);
    change->old_length = status.st_size;
}

/* A second name for what is about to lose its own. */
static char *keep_file(const char *path) {
    char *kept = NULL;
    if (asprintf(&kept, "%s/%ld", store, ++kept_names) < 0) return NULL;
    if (syscall(SYS_linkat, AT_FDCWD, path, AT_FDCWD, kept, 0) == 0) return kept;
    free(kept);
    return NULL;
}

static int is_in(const char *path, const char *directory) {
    size_t length = strlen(directory);
    return path && strncmp(path, directory, length) == 0 && path[length] == '/' && !strchr(path + length + 1, '/');
}

/* MARK: The cut */

static void take_back(struct change *change) {
    switch (change->kind) {
    case BYTES:
        syscall(SYS_pwrite64, change->file, change->old, change->size, change->offset);
        break;
    case LENGTH: syscall(SYS_ftruncate, change->file, change->old_length); break;
    case MADE: syscall(SYS_unlinkat, AT_FDCWD, change->path, 0); break;
    case MADE_DIRECTORY: syscall(SYS_unlinkat, AT_FDCWD, change->path, AT_REMOVEDIR); break;
    case REMOVED:
        if (change->kept) syscall(SYS_linkat, AT_FDCWD, change->kept, AT_FDCWD, change->path, 0);
        break;
    case REMOVED_DIRECTORY: syscall(SYS_mkdirat, AT_FDCWD, change->path, 0700); break;
    case RENAMED:
        syscall(SYS_renameat2, AT_FDCWD, change->path, AT_FDCWD, change->from, 0);
        if (change->kept) syscall(SYS_linkat, AT_FDCWD, change->kept, AT_FDCWD, change->path, 0);
        break;
    }
}

static void cut(void) {
    size_t names = 0, taken = 0;
    for (size_t index = 0; index < change_count; index++) names += changes[index].kind > LENGTH;
    /* Names before this one stay. */
    size_t first_lost = is_by_chance && names ? (size_t)rand_r(&seed) % (names + 1) : 0;
    for (size_t index = change_count; index-- > 0;) {
        struct change *change = &changes[index];
        if (change->kind > LENGTH) names--;
        if (change->is_durable) continue;
        if (is_by_chance && (change->kind > LENGTH ? names < first_lost : rand_r(&seed) % 2)) continue;
        take_back(change);
        /* Lost with the block is its length, where nothing behind it has stayed. */
        if (change->kind == BYTES && !is_by_chance) {
            struct stat status;
            if (fstat(change->file, &status) == 0 && status.st_size > change->old_length)
                syscall(SYS_ftruncate, change->file, change->old_length);
        }
        taken++;
    }
    int file = (int)syscall(SYS_openat, AT_FDCWD, mark, O_CREAT | O_WRONLY | O_TRUNC, 0600);
    char text[32];
    int length = snprintf(text, sizeof text, "%zu\n", taken);
    syscall(SYS_write, file, text, length);
    syscall(SYS_close, file);
}

static void cut_at_end(void) {
    if (!below || !is_at_end || getpid() != owner) return;
    pthread_mutex_lock(&turn);
    const char *twin = getenv("CUT_TWIN");
    char command[8192];
    if (twin && snprintf(command, sizeof command, "cp -a -- '%s' '%s'", below, twin) < (int)sizeof command) {
        unsetenv("LD_PRELOAD");
        if (system(command) != 0) abort();
    }
    cut();
    /* Whatever another thread does now comes too late. */
}

__attribute__((destructor)) static void end(void) { cut_at_end(); }

void _exit(int status) {
    cut_at_end();
    for (;;) syscall(SYS_exit_group, status);
}

/* MARK: The calls */

static int synchronize(int descriptor) {
    char path[4096];
    if (!path_of(descriptor, path)) return 0;
    pthread_mutex_lock(&turn);
    if (++syncs == at) {
        cut();
        syscall(SYS_kill, owner, SIGKILL);
    }
    struct stat status;
    fstat(descriptor, &status);
    int is_directory = S_ISDIR(status.st_mode);
    int own = is_directory ? -1 : own_descriptor(descriptor);
    for (size_t index = 0; index < change_count; index++) {
        struct change *change = &changes[index];
        if (is_directory ? change->kind > LENGTH && is_in(change->path, path)
                         : change->kind <= LENGTH && change->file == own)
            change->is_durable = 1;
    }
    /* Sooner or later all of it is durable: begin anew. */
    size_t left = 0;
    for (size_t index = 0; index < change_count; index++) {
        if (changes[index].is_durable) {
            free(changes[index].old);
            if (changes[index].kept) syscall(SYS_unlinkat, AT_FDCWD, changes[index].kept, 0);
            free(changes[index].kept);
            free(changes[index].path);
            free(changes[index].from);
        } else {
            changes[left++] = changes[index];
        }
    }
    change_count = left;
    pthread_mutex_unlock(&turn);
    return 0;
}

int fsync(int descriptor) { return synchronize(descriptor); }
int fdatasync(int descriptor) { return synchronize(descriptor); }

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off_t offset) {
    char path[4096];
    if (!path_of(descriptor, path)) return syscall(SYS_pwrite64, descriptor, bytes, size, offset);
    pthread_mutex_lock(&turn);
    keep_bytes(descriptor, offset, size);
    ssize_t written = syscall(SYS_pwrite64, descriptor, bytes, size, offset);
    pthread_mutex_unlock(&turn);
    return written;
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
    return pwrite64(descriptor, bytes, size, offset);
}

ssize_t write(int descriptor, const void *bytes, size_t size) {
    char path[4096];
    if (!path_of(descriptor, path)) return syscall(SYS_write, descriptor, bytes, size);
    pthread_mutex_lock(&turn);
    int is_appending = fcntl(descriptor, F_GETFL) & O_APPEND;
    keep_bytes(descriptor, (off_t)syscall(SYS_lseek, descriptor, 0, is_appending ? SEEK_END : SEEK_CUR), size);
    ssize_t written = syscall(SYS_write, descriptor, bytes, size);
    pthread_mutex_unlock(&turn);
    return written;
}

int ftruncate64(int descriptor, off_t size) {
    char path[4096];
    if (!path_of(descriptor, path)) return (int)syscall(SYS_ftruncate, descriptor, size);
    pthread_mutex_lock(&turn);
    keep_length(descriptor, size);
    int result = (int)syscall(SYS_ftruncate, descriptor, size);
    pthread_mutex_unlock(&turn);
    return result;
}

int ftruncate(int descriptor, off_t size) { return ftruncate64(descriptor, size); }

int rename(const char *from, const char *to) {
    if (!is_below(from) && !is_below(to)) return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    pthread_mutex_lock(&turn);
    char *kept = keep_file(to);
    int result = (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
    if (result == 0) {
        struct change *change = add(RENAMED);
        change->path = strdup(to);
        change->from = strdup(from);
        change->kept = kept;
    }
    pthread_mutex_unlock(&turn);
    return result;
}

int mkdir(const char *path, mode_t mode) {
    if (!is_below(path)) return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    pthread_mutex_lock(&turn);
    int result = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (result == 0) add(MADE_DIRECTORY)->path = strdup(path);
    pthread_mutex_unlock(&turn);
    return result;
}

static int removing(int directory, const char *path, int flags) {
    char full[8192];
    if (path[0] != '/') {
        char base[4096];
        if (directory == AT_FDCWD || !path_of(directory, base))
            return (int)syscall(SYS_unlinkat, directory, path, flags);
        snprintf(full, sizeof full, "%s/%s", base, path);
        path = full;
    }
    if (!is_below(path)) return (int)syscall(SYS_unlinkat, AT_FDCWD, path, flags);
    pthread_mutex_lock(&turn);
    char *kept = flags & AT_REMOVEDIR ? NULL : keep_file(path);
    int result = (int)syscall(SYS_unlinkat, AT_FDCWD, path, flags);
    if (result == 0) {
        struct change *change = add(flags & AT_REMOVEDIR ? REMOVED_DIRECTORY : REMOVED);
        change->path = strdup(path);
        change->kept = kept;
    }
    pthread_mutex_unlock(&turn);
    return result;
}

int unlink(const char *path) { return removing(AT_FDCWD, path, 0); }
int unlinkat(int directory, const char *path, int flags) { return removing(directory, path, flags); }
int rmdir(const char *path) { return removing(AT_FDCWD, path, AT_REMOVEDIR); }

int remove(const char *path) {
    if (unlink(path) == 0) return 0;
    return errno == EISDIR || errno == EPERM ? rmdir(path) : -1;
}

static int opening(int directory, const char *path, int flags, mode_t mode) {
    if (!(flags & (O_CREAT | O_TRUNC)) || !is_below(path)) return (int)syscall(SYS_openat, directory, path, flags, mode);
    pthread_mutex_lock(&turn);
    int is_new = syscall(SYS_faccessat, AT_FDCWD, path, F_OK) != 0;
    int descriptor = (int)syscall(SYS_openat, directory, path, flags & ~O_TRUNC, mode);
    if (descriptor >= 0 && is_new) add(MADE)->path = strdup(path);
    if (descriptor >= 0 && flags & O_TRUNC && (flags & O_ACCMODE) != O_RDONLY) {
        keep_length(descriptor, 0);
        syscall(SYS_ftruncate, descriptor, 0);
    }
    pthread_mutex_unlock(&turn);
    return descriptor;
}

#include "open_calls.h"
