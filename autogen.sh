#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Generates configure; everything else is configure's and make's work.
set -e
cd "$(dirname "$0")"
exec autoreconf -fi
