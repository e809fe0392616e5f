# authverify.m4: the checks of configure.ac. Each failure names the package to install.
# SPDX-License-Identifier: Apache-2.0

# AV_MISSING(WHAT, DEBIAN-PACKAGE, FEDORA-PACKAGE, [OTHER-WAY])
# Stops configure with the remedy.
AC_DEFUN([AV_MISSING],
[AC_MSG_ERROR([$1 was not found.
    Debian, Ubuntu:  apt-get install $2
    Fedora, RHEL:    dnf install $3]m4_ifval([$4], [
    or say           $4]))])

# AV_REQUIRE_HTTPD(VERSION)
# Sets APXS, HTTPD_CPPFLAGS, httpd_modules (httpd's own module folder) and httpd_prefix.
AC_DEFUN([AV_REQUIRE_HTTPD],
[AC_ARG_WITH([apxs],
    [AS_HELP_STRING([--with-apxs=PATH], [apxs of the httpd to build for (default: the first in PATH)])],
    [], [with_apxs=yes])
AS_CASE([$with_apxs],
    [yes], [AC_PATH_PROGS([APXS], [apxs apxs2], [], [$PATH$PATH_SEPARATOR/usr/sbin$PATH_SEPARATOR/usr/local/apache2/bin])],
    [no], [AC_MSG_ERROR([the module cannot be built without apxs])],
    [APXS=$with_apxs])
AC_SUBST([APXS])
AS_IF([test -z "$APXS" || ! test -x "$APXS"],
    [AV_MISSING([apxs, httpd's build tool,], [apache2-dev], [httpd-devel], [--with-apxs=PATH])])
# A system folder: warnings in httpd's headers are not ours to mend.
HTTPD_CPPFLAGS="-isystem `$APXS -q INCLUDEDIR`"
AC_SUBST([HTTPD_CPPFLAGS])
httpd_modules=`$APXS -q LIBEXECDIR`
httpd_prefix=`$APXS -q PREFIX 2>/dev/null`
AC_MSG_CHECKING([for httpd $1 or later])
av_release=`$APXS -q INCLUDEDIR`/ap_release.h
httpd_version=`$SED -n -E \
    's/^.define AP_SERVER_(MAJORVERSION|MINORVERSION|PATCHLEVEL)_NUMBER +([[0-9]]+).*/\2/p' "$av_release" 2>/dev/null |
    tr '\n' '.' | $SED 's/\.$//'`
AC_MSG_RESULT([${httpd_version:-none}])
AS_IF([test -z "$httpd_version"], [AV_MISSING([httpd.h], [apache2-dev], [httpd-devel], [--with-apxs=PATH])])
AS_VERSION_COMPARE([$httpd_version], [$1],
    [AC_MSG_ERROR([httpd $1 or later is needed, $APXS belongs to $httpd_version])])])

# av_config_tool(TOOL-VARIABLE, WITH-NAME, APXS-VARIABLE, DEFAULT-NAMES, WHAT, DEBIAN, FEDORA)
# Finds apr-1-config or apu-1-config: as told, as apxs says, or in PATH.
m4_define([av_config_tool],
[AC_ARG_WITH([$2],
    [AS_HELP_STRING([--with-$2=PATH], [$5's configuration program (default: the one httpd was built with)])],
    [$1=$withval],
    [$1=`$APXS -q $3 2>/dev/null`
     AS_IF([! test -x "$$1"], [unset $1; AC_PATH_PROGS([$1], [$4])])])
AS_IF([test -z "$$1" || ! test -x "$$1"], [AV_MISSING([$5], [$6], [$7], [--with-$2=PATH])])])

# AV_REQUIRE_APR: sets APR_CPPFLAGS, APR_LIBS.
AC_DEFUN([AV_REQUIRE_APR],
[av_config_tool([APR_CONFIG], [apr], [APR_CONFIG], [apr-1-config apr-config], [APR], [libapr1-dev], [apr-devel])
APR_CPPFLAGS="`$APR_CONFIG --cppflags` -isystem `$APR_CONFIG --includedir`"
APR_LIBS=`$APR_CONFIG --link-ld`
AC_SUBST([APR_CPPFLAGS])
AC_SUBST([APR_LIBS])])

# AV_REQUIRE_APR_UTIL: sets APU_CPPFLAGS, APU_LIBS.
AC_DEFUN([AV_REQUIRE_APR_UTIL],
[av_config_tool([APU_CONFIG], [apr-util], [APU_CONFIG], [apu-1-config apu-config], [APR-util], [libaprutil1-dev],
    [apr-util-devel])
APU_CPPFLAGS="-isystem `$APU_CONFIG --includedir`"
APU_LIBS=`$APU_CONFIG --link-ld`
AC_SUBST([APU_CPPFLAGS])
AC_SUBST([APU_LIBS])])

# AV_REQUIRE_LIBRARY(PREFIX, MODULE, WHAT, DEBIAN, FEDORA)
# By pkg-config: sets PREFIX_CFLAGS, PREFIX_LIBS and, in lower case, prefix_version.
m4_ifndef([PKG_PROG_PKG_CONFIG],
    [m4_fatal([pkg.m4 was not found: install pkg-config (Debian) or pkgconf-pkg-config (Fedora)])])
AC_DEFUN([AV_REQUIRE_LIBRARY],
[AC_REQUIRE([AV_REQUIRE_PKG_CONFIG])
PKG_CHECK_MODULES([$1], [$2], [], [AV_MISSING([$3], [$4], [$5])])
m4_tolower([$1])_version=`$PKG_CONFIG --modversion m4_bpatsubst([$2], [ .*])`])

# AV_OPTION_CURL(VERSION): libcurl, for what is asked of other servers. Without it (--without-curl, or none is there)
# AV_HAVE_CURL is not defined, and what needs it says so.
AC_DEFUN([AV_OPTION_CURL],
[AC_ARG_WITH([curl],
    [AS_HELP_STRING([--without-curl], [build without libcurl (default: with it where it is there)])],
    [], [with_curl=check])
AC_REQUIRE([AV_REQUIRE_PKG_CONFIG])
AS_IF([test "$with_curl" != no],
    [PKG_CHECK_MODULES([CURL], [libcurl >= $1],
        [with_curl=yes
         CURL_CFLAGS="$CURL_CFLAGS -DAV_HAVE_CURL"],
        [AS_IF([test "$with_curl" = yes],
            [AV_MISSING([libcurl $1 or later], [libcurl4-openssl-dev], [libcurl-devel], [--without-curl])])
         with_curl="no (libcurl4-openssl-dev or libcurl-devel is missing)"])])
AC_SUBST([CURL_CFLAGS])
AC_SUBST([CURL_LIBS])])

# AV_REQUIRE_PKG_CONFIG: sets PKG_CONFIG.
AC_DEFUN([AV_REQUIRE_PKG_CONFIG],
[PKG_PROG_PKG_CONFIG
AS_IF([test -z "$PKG_CONFIG"], [AV_MISSING([pkg-config], [pkg-config], [pkgconf-pkg-config])])])

# AV_OPTION_CHECK: the unit-test library; needed unless the builder says that no unit test will run.
AC_DEFUN([AV_OPTION_CHECK],
[AC_ARG_WITH([check],
    [AS_HELP_STRING([--without-check], [build no unit tests])],
    [], [with_check=yes])
AS_IF([test "$with_check" != no],
    [AV_REQUIRE_LIBRARY([CHECK], [check >= 0.15], [check 0.15 or later, the unit-test library, (or say --without-check)],
        [check], [check-devel])])
AM_CONDITIONAL([WITH_CHECK], [test "$with_check" != no])])

# AV_FIND_VALGRIND: the check that no secret decides a branch is built where valgrind's header is there.
AC_DEFUN([AV_FIND_VALGRIND],
[AC_CHECK_HEADER([valgrind/memcheck.h], [with_valgrind=yes], [with_valgrind=no])
AM_CONDITIONAL([WITH_VALGRIND], [test "$with_valgrind" = yes])])

# AV_OPTION_WERROR: warnings are always on; --enable-werror makes them errors.
AC_DEFUN([AV_OPTION_WERROR],
[AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat each warning as an error])],
    [], [enable_werror=no])
WARNING_CFLAGS="-Wall -Wextra -Wconversion -Wshadow"
AS_IF([test "$enable_werror" != no], [WARNING_CFLAGS="$WARNING_CFLAGS -Werror"])
AC_SUBST([WARNING_CFLAGS])])

# AV_OPTION_SANITIZERS: AddressSanitizer and UndefinedBehaviorSanitizer; what they find ends the process.
AC_DEFUN([AV_OPTION_SANITIZERS],
[AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers], [build with AddressSanitizer and UndefinedBehaviorSanitizer])],
    [], [enable_sanitizers=no])
AS_IF([test "$enable_sanitizers" != no],
    [SANITIZER_FLAGS="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
     AV_REQUIRE_FLAGS([$SANITIZER_FLAGS], [AddressSanitizer], [gcc], [libasan libubsan])])
AC_SUBST([SANITIZER_FLAGS])])

# AV_OPTION_FUZZ: libFuzzer targets. Everything is instrumented; the sanitizers come along, because a fuzzer without
# them sees only the crashes that the processor sees.
AC_DEFUN([AV_OPTION_FUZZ],
[AC_ARG_ENABLE([fuzz],
    [AS_HELP_STRING([--enable-fuzz], [build the fuzz targets with libFuzzer (needs CC=clang)])],
    [], [enable_fuzz=no])
AS_IF([test "$enable_fuzz" != no],
    [AV_REQUIRE_FLAGS([-fsanitize=fuzzer-no-link,address,undefined], [libFuzzer (configure with CC=clang)],
         [clang libclang-rt-dev], [clang compiler-rt])
     FUZZ_ENGINE=-fsanitize=fuzzer
     FUZZ_FLAGS="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"])
AC_SUBST([FUZZ_ENGINE])
AC_SUBST([FUZZ_FLAGS])
AM_CONDITIONAL([ENABLE_FUZZ], [test "$enable_fuzz" != no])])

# AV_REQUIRE_FLAGS(FLAGS, WHAT, DEBIAN, FEDORA)
# The compiler must link a program with FLAGS.
AC_DEFUN([AV_REQUIRE_FLAGS],
[av_saved_cflags=$CFLAGS
CFLAGS="$CFLAGS $1"
AC_MSG_CHECKING([whether $CC links with $1])
AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes])],
    [AC_MSG_RESULT([no])
     AV_MISSING([$2], [$3], [$4])])
CFLAGS=$av_saved_cflags])

# AV_MODULES_FOLDER: sets modulesdir. httpd's own module folder; where the builder named a prefix, the same place
# below that prefix, so that an installation without the right to write to /usr stays whole.
AC_DEFUN([AV_MODULES_FOLDER],
[AC_ARG_WITH([modules-folder],
    [AS_HELP_STRING([--with-modules-folder=PATH], [where the module is installed (default: httpd's, below --prefix)])],
    [modulesdir=$withval],
    [av_httpd_prefix=${httpd_prefix:-/usr}
     AS_CASE([$prefix:$httpd_modules],
         [NONE:*], [modulesdir=$httpd_modules],
         [*:$av_httpd_prefix/*], [modulesdir="\${prefix}${httpd_modules@%:@$av_httpd_prefix}"],
         [modulesdir='${libdir}/httpd/modules'])])
AC_SUBST([modulesdir])])
