/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on standard input; each is answered with one line on standard output. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "dnsserver.h"
#include "parse.h"

#define WORDS 5

static struct site *find(struct server *s, const char *text)
{
	uint64_t number;

	return parse_u64(text, 0, ZONE_NUMBERS - 1, &number) ? NULL : s->sites[number];
}

static int do_add(struct server *s, char **word)
{
	uint64_t number;

	if (!word[1] || parse_u64(word[1], 0, ZONE_NUMBERS - 1, &number))
		return -EINVAL;
	return site_add(s, (unsigned)number, word[2] ? word[2] : "");
}

static int do_behave(struct site *site, const char *words)
{
	char *copy = words ? strdup(words) : NULL;

	if (words && !copy)
		return -ENOMEM;
	free(site->words);
	site->words = copy;
	return 0;
}

static int do_chance(struct site *site, char **word)
{
	uint64_t percent;

	if (!word[2] || !word[3] || parse_u64(word[3], 0, 100, &percent))
		return -EINVAL;
	if (strcmp(word[2], "tc") == 0)
		site->tc_percent = (unsigned)percent;
	else if (strcmp(word[2], "drop") == 0)
		site->drop_percent = (unsigned)percent;
	else
		return -EINVAL;
	return 0;
}

static int do_cross(struct site *site, const char *text)
{
	uint64_t as;

	if (!text || parse_u64(text, 0, ZONE_NUMBERS - 1, &as))
		return -EINVAL;
	site->as = (unsigned)as;
	return 0;
}

static int run(struct server *s, char **word)
{
	struct site *site;

	if (strcmp(word[0], "stats") == 0 || strcmp(word[0], "quit") == 0) {
		s->is_over = word[0][0] == 'q';
		return 0;
	}
	if (strcmp(word[0], "add") == 0)
		return do_add(s, word);
	site = word[1] ? find(s, word[1]) : NULL;
	if (!site)
		return -ENOENT;
	if (strcmp(word[0], "del") == 0)
		site_remove(s, site->number);
	else if (strcmp(word[0], "behave") == 0)
		return do_behave(site, word[2]);
	else if (strcmp(word[0], "chance") == 0)
		return do_chance(site, word);
	else if (strcmp(word[0], "cross") == 0)
		return do_cross(site, word[2]);
	else
		return -EINVAL;
	return 0;
}

static void do_line(struct server *s, char *line)
{
	char *word[WORDS + 1] = { NULL }, *state = NULL;
	int rc;

	for (unsigned i = 0; i < WORDS; i++)
		if (!(word[i] = strtok_r(i ? NULL : line, " \t\r", &state)))
			break;
	if (!word[0])
		return;
	rc = run(s, word);
	if (rc)
		printf("failed %s: %s\n", word[0], strerror(-rc));
	else if (word[0][0] == 's')
		printf("stats udp=%llu tcp=%llu ignored=%llu dropped=%llu truncated=%llu "
		       "conns=%u later=%u\n",
			(unsigned long long)s->udp, (unsigned long long)s->tcp,
			(unsigned long long)s->ignored, (unsigned long long)s->dropped,
			(unsigned long long)s->truncated, s->conn_count, s->later_count);
	else
		printf("done %s %s\n", word[0], word[1] ? word[1] : "");
	fflush(stdout);
}

void control_input(struct server *s)
{
	ssize_t n = read(STDIN_FILENO, s->command + s->command_len,
		sizeof(s->command) - 1 - s->command_len);
	char *line = s->command, *end;

	if (n <= 0) {
		epoll_ctl(s->epoll, EPOLL_CTL_DEL, STDIN_FILENO, NULL);
		s->is_over = s->is_over || s->ends_with_input;
		return;
	}
	s->command_len += (size_t)n;
	s->command[s->command_len] = '\0';
	for (; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		do_line(s, line);
	}
	s->command_len = strlen(line);
	if (s->command_len == sizeof(s->command) - 1)
		s->command_len = 0; /* no command is that long */
	memmove(s->command, line, s->command_len);
}
