# SPDX-License-Identifier: MIT
# SP_COMPILER: C17, warnings and hardening by default; --enable-werror, --enable-sanitizers, --enable-coverage.
AC_DEFUN([SP_ADD_FLAG], [
  AC_MSG_CHECKING([whether the compiler takes $2])
  sp_saved_cflags=$CFLAGS
  CFLAGS="$CFLAGS -Werror $2"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[]])],
    [AC_MSG_RESULT([yes]); $1="$$1 $2"], [AC_MSG_RESULT([no])])
  CFLAGS=$sp_saved_cflags
])

AC_DEFUN([SP_COMPILER], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [warnings are errors])], [sp_werror=$enableval], [sp_werror=no])
  AC_ARG_ENABLE([sanitizers], [AS_HELP_STRING([--enable-sanitizers], [build with address and undefined-behaviour sanitizers])],
    [sp_sanitizers=$enableval], [sp_sanitizers=no])
  AC_ARG_ENABLE([coverage], [AS_HELP_STRING([--enable-coverage], [build for gcov])], [sp_coverage=$enableval], [sp_coverage=no])
  AC_ARG_ENABLE([hardening], [AS_HELP_STRING([--disable-hardening], [leave out the hardening flags])],
    [sp_hardening=$enableval], [sp_hardening=yes])

  SP_CFLAGS="-std=gnu17" SP_LDFLAGS=""
  m4_foreach_w([sp_flag], [-Wall -Wextra -Wformat=2 -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition
    -Wpointer-arith -Wwrite-strings -Wundef -Wvla -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough -Wlogical-op
    -Wduplicated-cond -Wnull-dereference -Wdouble-promotion -fno-common],
    [SP_ADD_FLAG([SP_CFLAGS], sp_flag)])
  AS_IF([test "x$sp_sanitizers" = xyes],
    [SP_CFLAGS="$SP_CFLAGS -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
     sp_hardening=no])
  AS_IF([test "x$sp_coverage" = xyes], [SP_CFLAGS="$SP_CFLAGS --coverage -O0 -g" sp_hardening=no])
  AS_IF([test "x$sp_hardening" = xyes], [
    m4_foreach_w([sp_flag], [-fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIE], [SP_ADD_FLAG([SP_CFLAGS], sp_flag)])
    case " $CFLAGS " in *" -O0 "*) ;; *) SP_ADD_FLAG([SP_CFLAGS], [-D_FORTIFY_SOURCE=2]) ;; esac
    m4_foreach_w([sp_flag], [-pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed], [SP_ADD_FLAG([SP_LDFLAGS], sp_flag)])
  ])
  AS_IF([test "x$sp_werror" = xyes], [SP_CFLAGS="$SP_CFLAGS -Werror"])
  AM_CONDITIONAL([COVERAGE], [test "x$sp_coverage" = xyes])
  AM_CONDITIONAL([SANITIZERS], [test "x$sp_sanitizers" = xyes])
  AC_SUBST([SP_CFLAGS])
  AC_SUBST([SP_LDFLAGS])
])
