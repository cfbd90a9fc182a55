/* SPDX-License-Identifier: BSD-3-Clause */
/* What a status means, in words. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "vsresolv.h"

static const char *system_reason(int error)
{
	switch (-error) {
	case 0:
		return "unknown error";
	case ESTALE:
		return "the virtual server is gone";
	case EDESTADDRREQ:
		return "no name server is configured for this virtual server";
	case EPROTOTYPE:
		return "opened before fork; the child must open its own";
	default:
		/* The GNU one that never writes a buffer: it knows the number, or says NULL. */
		return strerrordesc_np(-error) ? strerrordesc_np(-error) : "unknown error";
	}
}

const char *vsresolv_strerror(int status, const struct vsresolv_info *info)
{
	if (status == EAI_SYSTEM && info)
		return system_reason(info->error);
	if (status == EAI_NODATA)
		return "the name has no record of that kind";
	return status ? gai_strerror(status) : "success";
}

const char *vsresolv_source_name(enum vsresolv_source source)
{
	switch (source) {
	case VSRESOLV_LOCAL:
		return "local";
	case VSRESOLV_HOSTS:
		return "hosts";
	case VSRESOLV_CACHE:
		return "cache";
	case VSRESOLV_STALE:
		return "stale";
	case VSRESOLV_NETWORK:
		return "network";
	case VSRESOLV_NOWHERE:
		break;
	}
	return "none";
}
