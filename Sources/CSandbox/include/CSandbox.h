#ifndef MAILWORKER_CSANDBOX_H
#define MAILWORKER_CSANDBOX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

// MARK: Starting a child

/// Starts a program whose only connection with us is one stream socket, which it
/// finds as descriptor 0; 1 and 2 lead nowhere. It inherits nothing else, not even the
/// environment, is in a process group of its own, and has the signals that end a service
/// blocked: they are its parent's business.
///
/// Returns 0, or an errno; then nothing is left behind.
int mw_child_start(const char *path, const char *const arguments[], pid_t *process, int *channel);

/// How a child has ended.
typedef enum {
    MW_CHILD_EXITED = 0,
    MW_CHILD_SIGNALLED = 1
} mw_child_end;

/// Kills a child, waits for it, and tells in `value` the exit code or the signal. A child
/// that ended by itself before has its own end told.
mw_child_end mw_child_finish(pid_t process, int *value);

/// Gives a running child `bytes` more of memory than it has now, or takes them away.
void mw_child_add_memory(pid_t process, int64_t bytes);

// MARK: The channel

/// A descriptor of an unnamed file in memory with a copy of the bytes, which nobody can
/// change any more; -1 with errno.
int mw_sealed_copy(const void *bytes, size_t count);

/// Sends what it can of `parts`, at most 1024, one behind the other and without waiting, with a
/// descriptor (or -1) beside the first octet. Returns the number of octets sent, or -1 with errno; a
/// closed channel is EPIPE, no signal.
ssize_t mw_channel_send(int channel, struct iovec *parts, size_t count, int descriptor);

/// Sends all of `bytes`, waiting as long as it takes. Returns 0, or -1 with errno.
int mw_channel_send_all(int channel, const void *bytes, size_t count);

/// Receives at least one byte, waiting for it if `waits`. Puts a descriptor that came along
/// into `descriptor`, else -1; with NULL in its place none is taken, however many a hostile child sends. Returns 0 at the end of the channel, -1 with errno.
ssize_t mw_channel_receive(int channel, void *bytes, size_t capacity, int waits, int *descriptor);

// MARK: The sandbox

/// What the kernel has agreed to.
typedef struct {
    /// The errno for which there is no system call filter; 0 when it is in force.
    int32_t filter_error;
    /// The errno for which a resource limit is missing; 0 when all are in force.
    int32_t limits_error;
} mw_sandbox_state;

/// Gives up for good what reading a mail does not need: descriptors from 3 on, privileges
/// by exec, core dumps, files, children, memory beyond `memory_bytes` more than now, and
/// with the filter all system calls but those on open descriptors, memory and time.
///
/// Opening a file is refused with EACCES, so that a library that would like to can go on
/// without; anything else outside the list ends the process at once with SIGSYS.
void mw_sandbox_enter(uint64_t memory_bytes, mw_sandbox_state *state);

/// Ends the process with `exit_code` when it has used `milliseconds` more of processor time,
/// unless `mw_watch_end` comes before.
void mw_watch_begin(uint32_t milliseconds, int exit_code);

void mw_watch_end(void);

#endif
