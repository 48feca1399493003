// Includes cpp-httplib the way Debian's shared library was built: with OpenSSL its classes have
// more members, and without the macro ours would be laid out differently from the library's.
#pragma once

#ifndef CPPHTTPLIB_OPENSSL_SUPPORT
#define CPPHTTPLIB_OPENSSL_SUPPORT
#endif
#include <httplib.h>
