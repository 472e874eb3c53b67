#define _GNU_SOURCE
#include "CCurl.h"
#include <pthread.h>

void mw_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}
