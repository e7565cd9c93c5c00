# SPDX-License-Identifier: MIT
# SP_FUZZ: a compiler that has libFuzzer, for `make check-fuzz` and `make fuzz`. Everything else of tests/fuzz/ is built by
# the compiler of the program.
AC_DEFUN([SP_FUZZ], [
  AC_ARG_VAR([FUZZ_CC], [compiler with libFuzzer (default: clang, the newest that is found)])
  AS_IF([test "x$FUZZ_CC" = x],
    [AC_PATH_PROGS([FUZZ_CC], [clang clang-22 clang-21 clang-20 clang-19 clang-18 clang-17 clang-16 clang-15 clang-14], [no])])
  sp_fuzz=no
  AS_IF([test "x$FUZZ_CC" != xno], [
    AC_MSG_CHECKING([whether $FUZZ_CC has libFuzzer])
    printf '%s\n' '#include <stddef.h>' 'int LLVMFuzzerTestOneInput(const char *d, size_t n);' \
      'int LLVMFuzzerTestOneInput(const char *d, size_t n) { return d == NULL && n; }' >conftest-fuzz.c
    AS_IF([$FUZZ_CC -fsanitize=fuzzer,address,undefined -o conftest-fuzz conftest-fuzz.c >&AS_MESSAGE_LOG_FD 2>&1], [sp_fuzz=yes])
    rm -f conftest-fuzz conftest-fuzz.c
    AC_MSG_RESULT([$sp_fuzz])
  ])
  AC_SUBST([SP_HAVE_LIBFUZZER], [$sp_fuzz])
])
