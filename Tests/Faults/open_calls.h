/* open and its like, for LD_PRELOAD: each is handed to `opening`, which the file that includes this defines before. */
#include <fcntl.h>
#include <stdarg.h>

#define MODE(flags)                                                     \
    mode_t mode = 0;                                                    \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                              \
        va_list rest;                                                   \
        va_start(rest, flags);                                          \
        mode = va_arg(rest, mode_t);                                    \
        va_end(rest);                                                   \
    }

int open(const char *path, int flags, ...) {
    MODE(flags)
    return opening(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...) {
    MODE(flags)
    return opening(AT_FDCWD, path, flags, mode);
}

int openat(int directory, const char *path, int flags, ...) {
    MODE(flags)
    return opening(directory, path, flags, mode);
}

int openat64(int directory, const char *path, int flags, ...) {
    MODE(flags)
    return opening(directory, path, flags, mode);
}
