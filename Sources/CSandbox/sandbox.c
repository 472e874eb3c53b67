#define _GNU_SOURCE
#include "CSandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

// MARK: Resource limits

/// The writable private memory of this process, in the kernel's count for RLIMIT_DATA.
static rlim_t data_in_use(void) {
    FILE *status = fopen("/proc/self/status", "re");
    if (!status) return 0;
    char line[128];
    unsigned long long kilobytes = 0;
    while (fgets(line, sizeof line, status)) {
        if (sscanf(line, "VmData: %llu", &kilobytes) == 1) break;
    }
    fclose(status);
    return (rlim_t)kilobytes << 10;
}

static int limit(int resource, rlim_t soft, rlim_t hard) {
    const struct rlimit value = {.rlim_cur = soft, .rlim_max = hard};
    return setrlimit(resource, &value) < 0 ? errno : 0;
}

/// Each message has its timer, and the parent its patience; this is for a child that has turned its timer off.
enum { longest_life_seconds = 3600 };

static int enter_limits(uint64_t memory_bytes) {
    int error = 0;
    // The hard limit stays: the parent makes room for a large message, and the filter
    // keeps the child from doing so. RLIMIT_AS would count mapped mails too.
    const rlim_t data = data_in_use() + memory_bytes;
    int result = limit(RLIMIT_DATA, data, RLIM_INFINITY);
    if (result) error = result;
    if ((result = limit(RLIMIT_CPU, longest_life_seconds, longest_life_seconds))) error = result;
    if ((result = limit(RLIMIT_CORE, 0, 0))) error = result;
    if ((result = limit(RLIMIT_FSIZE, 0, 0))) error = result;
    if ((result = limit(RLIMIT_NPROC, 0, 0))) error = result;
    // Descriptor 0 to 2, and one for a large message.
    if ((result = limit(RLIMIT_NOFILE, 8, 8))) error = result;
    return error;
}

// MARK: System calls

static const int allowed[] = {
    SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(sendto),
    SCMP_SYS(recvfrom), SCMP_SYS(close), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
    SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(setitimer), SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(getrandom), SCMP_SYS(sched_yield),
    SCMP_SYS(getpid), SCMP_SYS(gettid),
    // A thread that was started before may only now come to these.
    SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
};

/// What a library may ask for and can do without. None of it lets anything out or in.
static const int refused[] = {
    SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(newfstatat),
    SCMP_SYS(statx), SCMP_SYS(access), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
    SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(fstat), SCMP_SYS(lseek), SCMP_SYS(ioctl),
    SCMP_SYS(fcntl), SCMP_SYS(prlimit64), SCMP_SYS(getrlimit), SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sysinfo), SCMP_SYS(uname), SCMP_SYS(sigaltstack), SCMP_SYS(getcwd),
};

static int add_rules(scmp_filter_ctx filter) {
    int error = 0;
    for (size_t index = 0; !error && index < sizeof allowed / sizeof *allowed; ++index) {
        error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[index], 0);
    }
    for (size_t index = 0; !error && index < sizeof refused / sizeof *refused; ++index) {
        error = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EACCES), refused[index], 0);
    }
    // Memory that can be executed is how data becomes a program.
    const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    // RLIMIT_DATA counts neither what is shared nor what grows like a stack.
    const struct scmp_arg_cmp is_counted = SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_SHARED | MAP_GROWSDOWN, 0);
    if (!error) error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, not_executable, is_counted);
    if (!error) error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable);
    // abort() sends its signal so, and to itself only.
    const struct scmp_arg_cmp to_itself = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)getpid());
    if (!error) error = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, to_itself);
    return error;
}

static int enter_filter(void) {
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (!filter) return ENOMEM;
    // Threads that a runtime has started already are in it too.
    int error = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);
    if (!error) error = add_rules(filter);
    if (!error) error = seccomp_load(filter);
    seccomp_release(filter);
    return -error;
}

/// A runtime that prints a backtrace would start a program for it: a crash must look like one.
static void let_crashes_be(void) {
    static const int fatal[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGABRT, SIGFPE, SIGQUIT};
    for (size_t index = 0; index < sizeof fatal / sizeof *fatal; ++index) {
        signal(fatal[index], SIG_DFL);
    }
}

void mw_sandbox_enter(uint64_t memory_bytes, mw_sandbox_state *state) {
    close_range(3, ~0U, 0);
    let_crashes_be();
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_DUMPABLE, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    state->limits_error = enter_limits(memory_bytes);
    state->filter_error = enter_filter();
}

// MARK: Processor time

static volatile int overrun_exit_code;

static void overrun(int signal) {
    (void)signal;
    _exit(overrun_exit_code);
}

static void set_timer(uint32_t milliseconds) {
    const struct itimerval value = {
        .it_value = {.tv_sec = milliseconds / 1000, .tv_usec = (suseconds_t)(milliseconds % 1000) * 1000},
    };
    setitimer(ITIMER_PROF, &value, NULL);
}

void mw_watch_begin(uint32_t milliseconds, int exit_code) {
    overrun_exit_code = exit_code;
    signal(SIGPROF, overrun);
    set_timer(milliseconds > 0 ? milliseconds : 1);
}

void mw_watch_end(void) { set_timer(0); }
