# SPDX-License-Identifier: MIT
# SP_LIBRARIES: what is needed, with the oldest versions that are tested; what is optional is found.
AC_DEFUN([SP_LIBRARIES], [
  PKG_CHECK_MODULES([LIBCONFIG], [libconfig >= 1.5])
  PKG_CHECK_MODULES([SMARTCOLS], [smartcols >= 2.37])
  PKG_CHECK_MODULES([JANSSON], [jansson >= 2.13])
  # Loaded when they are needed (installer/hw/parms.c, installer/hw/blkid.c, installer/base/efivar.h): their headers only.
  PKG_CHECK_MODULES([KMOD], [libkmod >= 29])
  PKG_CHECK_MODULES([BLKID], [blkid >= 2.36])
  PKG_CHECK_MODULES([EFIVAR], [efivar >= 37])
  sp_libs=$LIBS
  AC_SEARCH_LIBS([dlopen], [dl], [], [AC_MSG_ERROR([dlopen is missing])])
  LIBS=$sp_libs
  AS_CASE([$ac_cv_search_dlopen], [-*], [DL_LIBS=$ac_cv_search_dlopen], [DL_LIBS=])
  AC_SUBST([DL_LIBS])

  sp_cmocka=no
  PKG_CHECK_MODULES([CMOCKA], [cmocka >= 1.1.5], [sp_cmocka=yes], [:])
  AM_CONDITIONAL([HAVE_CMOCKA], [test "x$sp_cmocka" = xyes])

  # A file system that behaves as the driver of HP's firmware, for a test.
  sp_fuse=no
  PKG_CHECK_MODULES([FUSE], [fuse3 >= 3.2], [sp_fuse=yes], [:])
  AM_CONDITIONAL([HAVE_FUSE], [test "x$sp_fuse" = xyes])
])

# SP_TOOLS: programs that tests use when they are there.
AC_DEFUN([SP_TOOLS], [
  AC_PATH_PROG([STRACE], [strace], [no])
  AC_PATH_PROG([DEPMOD], [depmod], [no], [$PATH:/usr/sbin:/sbin])
  AC_ARG_WITH([corpus], [AS_HELP_STRING([--with-corpus=DIR], [real configuration files of others to test against])],
    [sp_corpus=$withval], [sp_corpus=])
  AS_IF([test "x$sp_corpus" = xno], [sp_corpus=])
  AC_SUBST([CORPUS], [$sp_corpus])
])
