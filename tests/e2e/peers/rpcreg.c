/* SPDX-License-Identifier: BSD-3-Clause */
/* Registers, unregisters, serves and calls RPC programs through the real libtirpc. */
#include "config.h"

#include <getopt.h>
#include <netconfig.h>
#include <netinet/in.h>
#include <poll.h>
#include <rpc/rpc.h>
#include <rpc/pmap_clnt.h>
#include <rpc/rpcb_clnt.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "parse.h"

#define PROC_TELL 1 /* of the servers here: answers with their text */
#define FDS_MAX 64

/* svc_* hands nothing of ours to the dispatch function, so that the text must lie here. */
static char *served_text;

struct numbers {
	rpcprog_t prog;
	rpcvers_t vers;
};

static int usage(void)
{
	fputs("usage: rpcreg set PROG VERS NETID UADDR      rpcb_set(3)\n"
	      "       rpcreg unset PROG VERS [NETID]        rpcb_unset(3)\n"
	      "       rpcreg pmap-set PROG VERS udp|tcp PORT\n"
	      "       rpcreg pmap-unset PROG VERS\n"
	      "       rpcreg getaddr HOST PROG VERS NETID   rpcb_getaddr(3)\n"
	      "       rpcreg call HOST PROG VERS NETID      asks a server of ours for its text\n"
	      "       rpcreg serve [-i TEXT] [-a UADDR] PROG VERS NETID...\n", stderr);
	return 2;
}

/* xdr_void() as an xdrproc_t, whose prototype in libtirpc is not the one to cast from. */
static bool_t xdr_nothing(XDR *xdrs, ...)
{
	(void)xdrs;
	return TRUE;
}

static bool parse_numbers(char **argv, struct numbers *n)
{
	uint64_t prog, vers;

	if (parse_u64(argv[0], 0, UINT32_MAX, &prog) || parse_u64(argv[1], 0, UINT32_MAX, &vers))
		return false;
	n->prog = (rpcprog_t)prog;
	n->vers = (rpcvers_t)vers;
	return true;
}

static struct netconfig *netconfig_of(const char *netid)
{
	struct netconfig *nconf = getnetconfigent(netid);

	if (!nconf)
		fprintf(stderr, "rpcreg: %s: no such netid\n", netid);
	return nconf;
}

static int set(int argc, char **argv)
{
	struct netconfig *nconf;
	struct netbuf *addr;
	struct numbers n;
	bool ok = false;

	if (argc != 4 || !parse_numbers(argv, &n))
		return usage();
	nconf = netconfig_of(argv[2]);
	addr = nconf ? uaddr2taddr(nconf, argv[3]) : NULL;
	if (addr) {
		ok = rpcb_set(n.prog, n.vers, nconf, addr);
		free(addr->buf);
		free(addr);
	}
	freenetconfigent(nconf);
	return ok ? 0 : 1;
}

static int unset(int argc, char **argv)
{
	struct netconfig *nconf = NULL;
	struct numbers n;
	bool ok;

	if (argc < 2 || argc > 3 || !parse_numbers(argv, &n))
		return usage();
	if (argc == 3 && !(nconf = netconfig_of(argv[2])))
		return 1;
	ok = rpcb_unset(n.prog, n.vers, nconf);
	freenetconfigent(nconf);
	return ok ? 0 : 1;
}

static int pmap_set_command(int argc, char **argv)
{
	struct numbers n;
	uint64_t port;

	if (argc != 4 || !parse_numbers(argv, &n) || parse_u64(argv[3], 0, UINT16_MAX, &port))
		return usage();
	return pmap_set(n.prog, n.vers, strcmp(argv[2], "tcp") == 0 ? IPPROTO_TCP : IPPROTO_UDP,
			(unsigned short)port) ? 0 : 1;
}

static int pmap_unset_command(int argc, char **argv)
{
	struct numbers n;

	if (argc != 2 || !parse_numbers(argv, &n))
		return usage();
	return pmap_unset(n.prog, n.vers) ? 0 : 1;
}

static int getaddr(int argc, char **argv)
{
	struct sockaddr_storage ss;
	struct netbuf addr = { .maxlen = sizeof(ss), .buf = &ss };
	struct netconfig *nconf;
	struct numbers n;
	char *text = NULL;

	if (argc != 4 || !parse_numbers(argv + 1, &n))
		return usage();
	nconf = netconfig_of(argv[3]);
	if (nconf && rpcb_getaddr(n.prog, n.vers, nconf, &addr, argv[0]))
		text = taddr2uaddr(nconf, &addr);
	if (text)
		puts(text);
	else
		clnt_pcreateerror("rpcb_getaddr");
	free(text);
	freenetconfigent(nconf);
	return text ? 0 : 1;
}

static int call(int argc, char **argv)
{
	struct timeval patience = { .tv_sec = 5 };
	struct netconfig *nconf;
	struct numbers n;
	char *text = NULL;
	enum clnt_stat stat;
	CLIENT *client;

	if (argc != 4 || !parse_numbers(argv + 1, &n))
		return usage();
	nconf = netconfig_of(argv[3]);
	client = nconf ? clnt_tp_create_timed(argv[0], n.prog, n.vers, nconf, &patience) : NULL;
	freenetconfigent(nconf);
	if (!client) {
		clnt_pcreateerror("rpcreg");
		return 1;
	}
	stat = clnt_call(client, PROC_TELL, xdr_nothing, NULL, (xdrproc_t)xdr_wrapstring,
			 (char *)&text, patience);
	if (stat == RPC_SUCCESS)
		puts(text);
	else
		clnt_perror(client, "rpcreg");
	free(text);
	clnt_destroy(client);
	return stat == RPC_SUCCESS ? 0 : 1;
}

static void dispatch(struct svc_req *req, SVCXPRT *xprt)
{
	if (req->rq_proc == NULLPROC)
		svc_sendreply(xprt, xdr_nothing, NULL);
	else if (req->rq_proc == PROC_TELL)
		svc_sendreply(xprt, (xdrproc_t)xdr_wrapstring, (char *)&served_text);
	else
		svcerr_noproc(xprt);
}

/* A transport, registered, at uaddr (NULL: the wildcard and a free port). */
static bool serve_on(const char *netid, const char *uaddr, const struct numbers *n)
{
	struct netconfig *nconf = netconfig_of(netid);
	struct netbuf *addr = nconf && uaddr ? uaddr2taddr(nconf, uaddr) : NULL;
	struct t_bind bind = { .qlen = 16 };
	SVCXPRT *xprt = NULL;
	bool ok;

	if (addr)
		bind.addr = *addr;
	if (nconf && (addr || !uaddr))
		xprt = svc_tli_create(RPC_ANYFD, nconf, addr ? &bind : NULL, 0, 0);
	ok = xprt && svc_reg(xprt, n->prog, n->vers, dispatch, nconf);
	if (!ok)
		fprintf(stderr, "rpcreg: cannot serve %s\n", netid);
	if (addr)
		free(addr->buf);
	free(addr);
	freenetconfigent(nconf);
	return ok;
}

/* svc_run(3), but it ends on a signal. */
static int serve_until(int signal_fd)
{
	struct pollfd fds[FDS_MAX];
	int n;

	for (;;) {
		n = svc_max_pollfd < FDS_MAX - 1 ? svc_max_pollfd : FDS_MAX - 1;
		memcpy(fds, svc_pollfd, (size_t)n * sizeof(*fds));
		fds[n].fd = signal_fd;
		fds[n].events = POLLIN;
		if (poll(fds, (nfds_t)n + 1, -1) < 0)
			return 1;
		if (fds[n].revents)
			return 0;
		svc_getreq_poll(fds, n);
	}
}

static int serve(int argc, char **argv)
{
	const char *uaddr = NULL, *text = "";
	struct numbers n;
	sigset_t mask;
	int c, fd;

	optind = 0;
	while ((c = getopt(argc, argv, "+i:a:")) != -1) {
		if (c == 'i')
			text = optarg;
		else if (c == 'a')
			uaddr = optarg;
		else
			return usage();
	}
	if (argc - optind < 3 || !parse_numbers(argv + optind, &n))
		return usage();
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	fd = signalfd(-1, &mask, SFD_CLOEXEC);
	served_text = strdup(text);
	for (int i = optind + 2; i < argc; i++) {
		if (!serve_on(argv[i], uaddr, &n))
			return 1;
	}
	puts("ready");
	fflush(stdout);
	c = serve_until(fd);
	svc_unreg(n.prog, n.vers);
	return c;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*fn)(int argc, char **argv);
		bool own_options;
	} commands[] = {
		{ "set", set, false },
		{ "unset", unset, false },
		{ "pmap-set", pmap_set_command, false },
		{ "pmap-unset", pmap_unset_command, false },
		{ "getaddr", getaddr, false },
		{ "call", call, false },
		{ "serve", serve, true },
	};
	int skip;

	for (size_t i = 0; argc > 1 && i < sizeof(commands) / sizeof(*commands); i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		skip = commands[i].own_options ? 1 : 2;
		return commands[i].fn(argc - skip, argv + skip);
	}
	return usage();
}
