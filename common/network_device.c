/* SPDX-License-Identifier: BSD-3-Clause */
/* The value of Device=. */
#include "config.h"

#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <string.h>

#include "network_words.h"
#include "parse.h"

static const char *set_link(void *object, const char *value)
{
	return words_device(((struct network_device *)object)->link, value);
}

static const char *set_peer(void *object, const char *value)
{
	return words_device(((struct network_device *)object)->peer, value);
}

static const char *set_master(void *object, const char *value)
{
	return words_device(((struct network_device *)object)->master, value);
}

static const char *set_id(void *object, const char *value)
{
	uint32_t id;

	if (words_number(value, 1, 4094, &id))
		return "is not from 1 to 4094";
	((struct network_device *)object)->vlan_id = id;
	return NULL;
}

static const char *set_protocol(void *object, const char *value)
{
	struct network_device *device = object;

	if (strcmp(value, "802.1Q") == 0)
		device->vlan_protocol = ETH_P_8021Q;
	else if (strcmp(value, "802.1ad") == 0)
		device->vlan_protocol = ETH_P_8021AD;
	else
		return "is none of 802.1Q, 802.1ad";
	return NULL;
}

static const char *set_mode(void *object, const char *value)
{
	static const struct {
		const char *word;
		unsigned mode;
	} modes[] = {
		{"bridge", MACVLAN_MODE_BRIDGE},
		{"private", MACVLAN_MODE_PRIVATE},
		{"vepa", MACVLAN_MODE_VEPA},
		{"passthru", MACVLAN_MODE_PASSTHRU},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(value, modes[i].word) == 0) {
			((struct network_device *)object)->macvlan_mode = modes[i].mode;
			return NULL;
		}
	}
	return "is none of bridge, private, vepa, passthru";
}

static const char *set_device_mtu(void *object, const char *value)
{
	uint32_t mtu;

	if (words_number(value, WORDS_MTU_MIN, WORDS_MTU_MAX, &mtu))
		return "is not from 68 to 65535";
	((struct network_device *)object)->mtu = mtu;
	return NULL;
}

static const char *set_mac(void *object, const char *value)
{
	struct network_device *device = object;
	uint8_t mac[6], any = 0;
	uint64_t byte;

	if (strlen(value) != sizeof(mac) * 3 - 1)
		return "is not like 02:00:5e:10:00:01";
	for (size_t i = 0; i < sizeof(mac); i++) {
		const char *at = value + i * 3;
		const char digits[3] = {at[0], at[1], '\0'};

		if (parse_hex(digits, 0, 255, &byte) < 0 || at[2] != (i < 5 ? ':' : '\0'))
			return "is not like 02:00:5e:10:00:01";
		mac[i] = (uint8_t)byte;
		any |= mac[i];
	}
	if (any == 0 || (mac[0] & 1))
		return "is not the address of one device";
	memcpy(device->mac, mac, sizeof(mac));
	device->has_mac = true;
	return NULL;
}

static const struct option device_options[] = {
	{"link", set_link, false},
	{"peer", set_peer, false},
	{"master", set_master, false},
	{"id", set_id, false},
	{"protocol", set_protocol, false},
	{"mode", set_mode, false},
	{"mtu", set_device_mtu, false},
	{"mac", set_mac, false},
	{.word = NULL},
};

static enum network_kind kind_of(const char *word)
{
	static const struct {
		const char *word;
		enum network_kind kind;
	} kinds[] = {
		{"present", NETWORK_PRESENT},
		{"move", NETWORK_MOVE},
		{"veth", NETWORK_VETH},
		{"macvlan", NETWORK_MACVLAN},
		{"vlan", NETWORK_VLAN},
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(word, kinds[i].word) == 0)
			return kinds[i].kind;
	}
	return 0;
}

/* What the kind wants, and what it cannot have. A device of no kind may be brought in. */
static bool check_kind(struct words *w, const struct network_device *d)
{
	enum network_kind kind = d->kind ? d->kind : NETWORK_MOVE;
	bool is_lo = strcmp(d->name, "lo") == 0;

	if (is_lo && d->kind != 0 && d->kind != NETWORK_PRESENT)
		return words_refuse(w, "makes lo, which is always there");
	if (is_lo)
		kind = NETWORK_PRESENT;
	if (kind == NETWORK_PRESENT && (d->link[0] || d->mtu || d->has_mac))
		return words_refuse(w, "sets something of a device that nsaux only uses");
	if (kind == NETWORK_VETH ? d->link[0] != '\0' : d->peer[0] || d->master[0])
		return words_refuse(w, kind == NETWORK_VETH ? "has a link, and a veth has a peer"
						      : "has a peer or master and is no veth");
	if (kind == NETWORK_VETH && !d->peer[0])
		return words_refuse(w, "has no peer");
	if ((kind == NETWORK_MACVLAN || kind == NETWORK_VLAN) && !d->link[0])
		return words_refuse(w, "has no link");
	if (kind != NETWORK_VLAN && (d->vlan_id || d->vlan_protocol))
		return words_refuse(w, "has an id or protocol and is no vlan");
	if (kind == NETWORK_VLAN && !d->vlan_id)
		return words_refuse(w, "has no id");
	if (kind != NETWORK_MACVLAN && d->macvlan_mode)
		return words_refuse(w, "has a mode and is no macvlan");
	return true;
}

bool network_read_device(
	const char *value, struct network_device *device, char *reason, size_t size)
{
	struct words w = {value, reason, size};
	struct network_device d = {.kind = 0};
	char word[WORD_MAX];
	const char *at, *fault;

	words_next(&w, word);
	fault = words_device(d.name, word);
	if (fault)
		return words_refuse(&w, "begins with '%s', which %s", word, fault);
	at = w.at;
	words_next(&w, word);
	d.kind = kind_of(word);
	if (!d.kind)
		w.at = at;
	if (!words_options(&w, device_options, &d) || !check_kind(&w, &d))
		return false;
	if (d.kind == NETWORK_VLAN && !d.vlan_protocol)
		d.vlan_protocol = ETH_P_8021Q;
	if (d.kind == NETWORK_MACVLAN && !d.macvlan_mode)
		d.macvlan_mode = MACVLAN_MODE_BRIDGE;
	*device = d;
	return true;
}
