# SPDX-License-Identifier: MIT
# SP_DIR(NAME, VARIABLE, FALL-BACK): a folder of systemd: --with-NAME, else what pkg-config says, else below the prefix.
AC_DEFUN([SP_DIR], [
  AC_ARG_WITH([$1], [AS_HELP_STRING([--with-$1=DIR], [default: what pkg-config says, or $3])], [$1=$withval], [
    $1=`$PKG_CONFIG --variable=$2 systemd 2>/dev/null`
    AS_IF([test "x$$1" = x], [$1='$3'])
  ])
  AC_SUBST([$1])
])
AC_DEFUN([SP_SYSTEMD], [
  SP_DIR([systemdsystemunitdir], [systemdsystemunitdir], [${prefix}/lib/systemd/system])
  SP_DIR([systemdpresetdir], [systemdsystempresetdir], [${prefix}/lib/systemd/system-preset])
  SP_DIR([catalogdir], [catalogdir], [${prefix}/lib/systemd/catalog])
])
