#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int spawn(const char *path, const char *const arguments[], int channel, pid_t *process) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    int error = posix_spawn_file_actions_init(&files);
    if (error) return error;
    error = posix_spawnattr_init(&attributes);
    if (error) {
        posix_spawn_file_actions_destroy(&files);
        return error;
    }
    sigset_t blocked, defaults;
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGTERM);
    sigaddset(&blocked, SIGINT);
    sigaddset(&blocked, SIGHUP);
    sigfillset(&defaults);
    char *const no_environment[] = {NULL};
    // What a crashing program writes may quote the mail, so it goes nowhere.
    if (!(error = posix_spawn_file_actions_adddup2(&files, channel, 0)) &&
        !(error = posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0)) &&
        !(error = posix_spawn_file_actions_adddup2(&files, 1, 2)) &&
        !(error = posix_spawn_file_actions_addclosefrom_np(&files, 3)) &&
        !(error = posix_spawnattr_setpgroup(&attributes, 0)) &&
        !(error = posix_spawnattr_setsigmask(&attributes, &blocked)) &&
        !(error = posix_spawnattr_setsigdefault(&attributes, &defaults)) &&
        !(error = posix_spawnattr_setflags(
              &attributes,
              POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))) {
        error = posix_spawn(
            process, path, &files, &attributes, (char *const *)arguments, no_environment);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return error;
}

int mw_child_start(const char *path, const char *const arguments[], pid_t *process, int *channel) {
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return errno;
    // Room for a whole batch each way saves most of the waiting for each other.
    const int room = 512 << 10;
    for (int end = 0; end < 2; ++end) {
        setsockopt(ends[end], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    }
    const int error = spawn(path, arguments, ends[1], process);
    close(ends[1]);
    if (error) {
        close(ends[0]);
        return error;
    }
    *channel = ends[0];
    return 0;
}

mw_child_end mw_child_finish(pid_t process, int *value) {
    int status = 0;
    kill(process, SIGKILL);
    while (waitpid(process, &status, 0) < 0) {
        if (errno == EINTR) continue;
        // Somebody else has waited for it: nothing is known but that it is gone.
        *value = SIGKILL;
        return MW_CHILD_SIGNALLED;
    }
    if (WIFEXITED(status)) {
        *value = WEXITSTATUS(status);
        return MW_CHILD_EXITED;
    }
    *value = WTERMSIG(status);
    return MW_CHILD_SIGNALLED;
}

void mw_child_add_memory(pid_t process, int64_t bytes) {
    struct rlimit limit;
    if (prlimit(process, RLIMIT_DATA, NULL, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return;
    limit.rlim_cur += (rlim_t)bytes;
    prlimit(process, RLIMIT_DATA, &limit, NULL);
}
