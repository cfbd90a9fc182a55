# SPDX-License-Identifier: BSD-3-Clause
# Flags are kept in variables of our own; CFLAGS and LDFLAGS stay the user's.

# NSAUX_TRY_CFLAGS(VARIABLE, FLAGS): append each flag that the compiler takes.
AC_DEFUN([NSAUX_TRY_CFLAGS], [
  for nsaux_flag in $2; do
    AS_VAR_PUSHDEF([cache], [nsaux_cv_cflag_$nsaux_flag])
    AC_CACHE_CHECK([whether $CC takes $nsaux_flag], [cache], [
      nsaux_saved=$CFLAGS
      CFLAGS="$CFLAGS -Werror $nsaux_flag"
      AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
        [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
      CFLAGS=$nsaux_saved
    ])
    AS_VAR_IF([cache], [yes], [$1="$$1 $nsaux_flag"])
    AS_VAR_POPDEF([cache])
  done
])

# NSAUX_TRY_LDFLAGS(VARIABLE, FLAGS): the same for the linker.
AC_DEFUN([NSAUX_TRY_LDFLAGS], [
  for nsaux_flag in $2; do
    AS_VAR_PUSHDEF([cache], [nsaux_cv_ldflag_$nsaux_flag])
    AC_CACHE_CHECK([whether the linker takes $nsaux_flag], [cache], [
      nsaux_saved=$LDFLAGS
      LDFLAGS="$LDFLAGS $nsaux_flag"
      AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
        [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
      LDFLAGS=$nsaux_saved
    ])
    AS_VAR_IF([cache], [yes], [$1="$$1 $nsaux_flag"])
    AS_VAR_POPDEF([cache])
  done
])

AC_DEFUN([NSAUX_WARNINGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [treat warnings as errors (developers, CI)])],
    [], [enable_werror=no])
  WARN_CFLAGS=
  NSAUX_TRY_CFLAGS([WARN_CFLAGS], [-Wall -Wextra -Wshadow -Wstrict-prototypes dnl
    -Wmissing-prototypes -Wold-style-definition -Wpointer-arith -Wformat=2 -Wundef -Wvla dnl
    -Wwrite-strings -Wcast-qual -Wnull-dereference -Wdouble-promotion -Wconversion dnl
    -Wduplicated-cond -Wlogical-op -Wjump-misses-init -Wformat-signedness dnl
    -Wimplicit-fallthrough=5 -Werror=implicit-function-declaration dnl
    -Werror=incompatible-pointer-types -Werror=int-conversion])
  AS_IF([test "x$enable_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])

AC_DEFUN([NSAUX_HARDENING], [
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening], [no hardening flags of our own])],
    [], [enable_hardening=yes])
  HARDEN_CFLAGS=
  HARDEN_LDFLAGS=
  HARDEN_PIE_CFLAGS=
  HARDEN_PIE_LDFLAGS=
  AS_IF([test "x$enable_hardening" = xyes], [
    NSAUX_TRY_CFLAGS([HARDEN_CFLAGS], [-fstack-protector-strong -fstack-clash-protection dnl
      -fcf-protection=full -ftrivial-auto-var-init=zero -fstrict-flex-arrays=3])
    # Fortification wants optimisation, fights the sanitizers, and is the user's
    # to choose when the user has chosen.
    AS_CASE(["$CFLAGS $CPPFLAGS"],
      [*_FORTIFY_SOURCE*|*-O0*], [],
      [*-O*], [AS_IF([test "x${enable_sanitizers:-no}" = xno && test "x${enable_coverage:-no}" = xno],
        [NSAUX_TRY_CFLAGS([HARDEN_CFLAGS], [-D_FORTIFY_SOURCE=3])])])
    NSAUX_TRY_LDFLAGS([HARDEN_LDFLAGS], [-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--as-needed])
    NSAUX_TRY_CFLAGS([HARDEN_PIE_CFLAGS], [-fPIE])
    NSAUX_TRY_LDFLAGS([HARDEN_PIE_LDFLAGS], [-pie])
  ])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
  AC_SUBST([HARDEN_PIE_CFLAGS])
  AC_SUBST([HARDEN_PIE_LDFLAGS])
])

# Sanitizers, coverage and libFuzzer: three switches that change how everything is built.
AC_DEFUN([NSAUX_INSTRUMENTATION], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers=LIST], [address,undefined (the default list) or thread])],
    [AS_IF([test "x$enableval" = xyes], [enable_sanitizers=address,undefined])],
    [enable_sanitizers=no])
  AC_ARG_ENABLE([coverage],
    [AS_HELP_STRING([--enable-coverage], [count executed lines (make coverage)])],
    [], [enable_coverage=no])
  AC_ARG_ENABLE([fuzzing],
    [AS_HELP_STRING([--enable-fuzzing], [link the fuzz targets with libFuzzer (clang)])],
    [], [enable_fuzzing=no])
  INSTR_CFLAGS=
  FUZZ_CFLAGS=
  AS_IF([test "x$enable_sanitizers" != xno], [
    INSTR_CFLAGS="-fsanitize=$enable_sanitizers -fno-omit-frame-pointer -fno-sanitize-recover=all"
    AC_DEFINE([NSAUX_SANITIZED], [1], [built with a sanitizer, whose runtime needs more system calls])
  ])
  AS_IF([test "x$enable_coverage" != xno], [INSTR_CFLAGS="$INSTR_CFLAGS --coverage -O0"])
  AS_IF([test "x$enable_fuzzing" != xno], [
    INSTR_CFLAGS="$INSTR_CFLAGS -fsanitize=fuzzer-no-link"
    FUZZ_CFLAGS="-fsanitize=fuzzer"
  ])
  AM_CONDITIONAL([FUZZING], [test "x$enable_fuzzing" != xno])
  AM_CONDITIONAL([SANITIZED], [test "x$enable_sanitizers" != xno])
  AC_SUBST([INSTR_CFLAGS])
  AC_SUBST([FUZZ_CFLAGS])
])
