#ifndef MAILWORKER_CCURL_H
#define MAILWORKER_CCURL_H
#include <curl/curl.h>
#endif
