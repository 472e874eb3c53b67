// Enters the sandbox and tries one thing. Exit code 10: refused with an error, the process goes
// on; 0: it was possible; a signal: that was its end.
#define _GNU_SOURCE
#include "CSandbox.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

static int refused(int failed) { return failed ? 10 : 0; }

/// What this process was given, told on descriptor 0, and what has become of its signals.
static int report(void) {
    char text[128];
    int descriptors = 0, variables = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory && readdir(directory)) ++descriptors;
    while (environ[variables]) ++variables;
    sigset_t blocked;
    sigprocmask(SIG_BLOCK, NULL, &blocked);
    // ".", ".." and the directory itself are no descriptors of ours.
    const int length = snprintf(
        text, sizeof text, "descriptors %d variables %d blocked %d group %d", descriptors - 3, variables,
        sigismember(&blocked, SIGTERM) && sigismember(&blocked, SIGINT), getpgrp() == getpid());
    return mw_channel_send_all(0, text, (size_t)length) < 0;
}

/// Sends octets on descriptor 0, each with two copies of a descriptor beside it.
static int plant(void) {
    const int planted = memfd_create("planted", 0);
    for (int turn = 0; turn < 20; ++turn) {
        char octet = 'x';
        struct iovec part = {.iov_base = &octet, .iov_len = 1};
        union {
            struct cmsghdr header;
            char room[CMSG_SPACE(2 * sizeof(int))];
        } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(2 * sizeof(int))}};
        memcpy(CMSG_DATA(&control.header), (int[]){planted, planted}, 2 * sizeof(int));
        const struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.room, .msg_controllen = sizeof control.room};
        if (sendmsg(0, &message, 0) != 1) return 1;
    }
    return 0;
}

int main(int count, char **arguments) {
    if (count != 2) return 64;
    const char *attempt = arguments[1];
    if (strcmp(attempt, "report") == 0) return report();
    if (strcmp(attempt, "plant") == 0) return plant();
    mw_sandbox_state state;
    mw_sandbox_enter(32 << 20, &state);
    if (state.filter_error || state.limits_error) return 69;
    if (strcmp(attempt, "nothing") == 0) return 0;
    if (strcmp(attempt, "open") == 0) return refused(open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES);
    if (strcmp(attempt, "create") == 0) return refused(open("/tmp/x", O_CREAT | O_WRONLY, 0600) < 0);
    if (strcmp(attempt, "memory") == 0) {
        char *volatile memory = malloc(64 << 20);
        return refused(memory == NULL);
    }
    if (strcmp(attempt, "a little memory") == 0) {
        char *volatile memory = malloc(16 << 20);
        return refused(memory == NULL);
    }
    if (strcmp(attempt, "more memory") == 0) {
        const struct rlimit limit = {.rlim_cur = RLIM_INFINITY, .rlim_max = RLIM_INFINITY};
        return refused(setrlimit(RLIMIT_DATA, &limit) < 0);
    }
    if (strcmp(attempt, "socket") == 0) return refused(socket(AF_INET, SOCK_STREAM, 0) < 0);
    if (strcmp(attempt, "exec") == 0) return refused(execl("/bin/true", "true", NULL) < 0);
    if (strcmp(attempt, "fork") == 0) return refused(fork() < 0);
    if (strcmp(attempt, "kill") == 0) return refused(kill(getppid(), 0) < 0);
    if (strcmp(attempt, "unlink") == 0) return refused(unlink("/tmp/x") < 0);
    if (strcmp(attempt, "code") == 0) {
        const int protection = PROT_READ | PROT_WRITE | PROT_EXEC;
        return refused(mmap(NULL, 4096, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    }
    if (strcmp(attempt, "shared memory") == 0) {
        return refused(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    }
    if (strcmp(attempt, "growing memory") == 0) {
        const int kind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN;
        return refused(mmap(NULL, 4096, PROT_READ | PROT_WRITE, kind, -1, 0) == MAP_FAILED);
    }
    if (strcmp(attempt, "abort") == 0) abort();
    if (strcmp(attempt, "spin") == 0) {
        mw_watch_begin(20, 3);
        for (volatile int turn = 0;; ++turn) {}
    }
    return 64;
}
