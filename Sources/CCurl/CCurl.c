#define _GNU_SOURCE
#include "CCurl.h"
#include <openssl/ssl.h>
#include <pthread.h>

void mw_name_thread(const char *name) {
    pthread_setname_np(pthread_self(), name);
}

void mw_read_ahead(CURL *easy, size_t bytes) {
    struct curl_tlssessioninfo *session = NULL;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &session) != CURLE_OK || !session ||
        session->backend != CURLSSLBACKEND_OPENSSL || !session->internals)
        return;
    SSL_set_default_read_buffer_len(session->internals, bytes);
    SSL_set_read_ahead(session->internals, 1);
}
