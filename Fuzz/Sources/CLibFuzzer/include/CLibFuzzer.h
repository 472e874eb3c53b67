#ifndef MAILWORKER_CLIBFUZZER_H
#define MAILWORKER_CLIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

/// libFuzzer as a library: reads its options from the arguments, and calls `target`
/// with one input after another. The program's own `main` decides what is fuzzed.
int LLVMFuzzerRunDriver(int *count, char ***arguments, int (*target)(const uint8_t *bytes, size_t length));

#endif
