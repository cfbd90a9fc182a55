/* SPDX-License-Identifier: BSD-3-Clause */
/* Steps about devices: they take several requests, some of them in the parent namespace. */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <netlink/msg.h>
#include <string.h>

#include "net_link_step.h"

#define ADD (NLM_F_CREATE | NLM_F_EXCL)

/* Where the requests of a step go to. */
struct sink {
	const struct net_site *site;
	net_request_fn *put;
	void *arg;
};

struct nl_msg *net_link_message(int type, int flags, unsigned index, const char *name)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)index};
	struct nl_msg *msg = net_request(type, flags);

	if (!msg)
		return NULL;
	if (nlmsg_append(msg, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO) < 0 ||
		(name && nla_put_string(msg, IFLA_IFNAME, name) < 0)) {
		nlmsg_free(msg);
		return NULL;
	}
	return msg;
}

void net_link_set_up(struct nl_msg *msg, bool is_up)
{
	struct ifinfomsg *head = nlmsg_data(nlmsg_hdr(msg));

	head->ifi_change = IFF_UP;
	head->ifi_flags = is_up ? IFF_UP : 0;
}

/* Takes over the message. */
static int put_message(
	const struct sink *s, enum net_role role, bool is_parent, struct nl_msg *msg, int bad)
{
	if (msg && !bad)
		return s->put(s->arg, role, is_parent, msg);
	nlmsg_free(msg);
	return -ENOMEM;
}

struct nl_msg *net_link_altname(int type, const char *name, unsigned index, const char *altname)
{
	struct nl_msg *msg =
		net_link_message(type, type == RTM_NEWLINKPROP ? ADD | NLM_F_APPEND : 0, index, name);
	struct nlattr *list = msg ? nla_nest_start(msg, IFLA_PROP_LIST | NLA_F_NESTED) : NULL;

	if (!list || nla_put_string(msg, IFLA_ALT_IFNAME, altname) < 0) {
		nlmsg_free(msg);
		return NULL;
	}
	nla_nest_end(msg, list);
	return msg;
}

static int put_altname(const struct sink *s, enum net_role role, bool is_parent, int type,
	const char *name, unsigned index, const char *altname)
{
	return put_message(
		s, role, is_parent, net_link_altname(type, name, index, altname), 0);
}

/* What became of the device: its index is for the kernel to choose. */
static int put_look(const struct sink *s, const char *name)
{
	struct nl_msg *msg = net_link_message(RTM_GETLINK, 0, 0, name);
	int bad = msg ? nla_put_u32(msg, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS) : 0;

	return put_message(s, NET_ROLE_LOOK, false, msg, bad);
}

static int put_mtu_mac(struct nl_msg *msg, const struct network_device *device)
{
	int bad = 0;

	if (device->mtu)
		bad |= nla_put_u32(msg, IFLA_MTU, device->mtu);
	if (device->has_mac)
		bad |= nla_put(msg, IFLA_ADDRESS, sizeof(device->mac), device->mac);
	return bad;
}

/* IFLA_NET_NS_FD in here makes the peer where it belongs: it is never seen in the namespace. */
static int put_veth(struct nl_msg *msg, const struct network_device *device,
	const struct net_site *site)
{
	const struct ifinfomsg head = {.ifi_family = AF_UNSPEC};
	struct nlattr *peer = nla_nest_start(msg, VETH_INFO_PEER);
	int bad;

	if (!peer)
		return -ENOMEM;
	bad = nlmsg_append(msg, (void *)(uintptr_t)&head, sizeof(head), NLMSG_ALIGNTO) |
	      nla_put_string(msg, IFLA_IFNAME, device->peer);
	if (device->mtu)
		bad |= nla_put_u32(msg, IFLA_MTU, device->mtu);
	if (!site->is_home)
		bad |= nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)site->parent_fd);
	nla_nest_end(msg, peer);
	return bad;
}

static int put_vlan(struct nl_msg *msg, const struct network_device *device)
{
	return nla_put_u16(msg, IFLA_VLAN_ID, (uint16_t)device->vlan_id) |
	       nla_put_u16(msg, IFLA_VLAN_PROTOCOL, htons(device->vlan_protocol));
}

static int put_kind(struct nl_msg *msg, const struct network_device *device,
	const struct net_site *site)
{
	static const char *const kinds[] = {[NETWORK_VETH] = "veth",
		[NETWORK_MACVLAN] = "macvlan", [NETWORK_VLAN] = "vlan"};
	struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO), *data;
	int bad;

	if (!info)
		return -ENOMEM;
	bad = nla_put_string(msg, IFLA_INFO_KIND, kinds[device->kind]);
	data = nla_nest_start(msg, IFLA_INFO_DATA);
	if (!data)
		return -ENOMEM;
	if (device->kind == NETWORK_VETH)
		bad |= put_veth(msg, device, site);
	else if (device->kind == NETWORK_MACVLAN)
		bad |= nla_put_u32(msg, IFLA_MACVLAN_MODE, device->macvlan_mode);
	else
		bad |= put_vlan(msg, device);
	nla_nest_end(msg, data);
	nla_nest_end(msg, info);
	return bad;
}

static unsigned parent_index(const struct net_site *site, const char *name)
{
	const struct net_link *link = site->parent ? net_link_by_name(site->parent, name) : NULL;

	return link ? link->index : 0;
}

/* In the namespace's own socket, also when the lower device is in the parent: so the alternative name
 * can follow in the same send. */
static int put_lower(struct nl_msg *msg, const struct network_device *device,
	const struct net_site *site)
{
	unsigned index;
	int bad;

	if (device->kind == NETWORK_VETH)
		return 0;
	if (device->link_is_own)
		index = net_site_index(site, 0, device->link);
	else
		index = parent_index(site, device->link);
	if (index == 0)
		return -ENODEV;
	bad = nla_put_u32(msg, IFLA_LINK, index);
	if (!device->link_is_own && !site->is_home)
		bad |= nla_put_s32(msg, IFLA_LINK_NETNSID, site->parent_nsid);
	return bad ? -ENOMEM : 0;
}

static int put_peer(const struct sink *s, const struct network_device *device,
	const struct net_link *peer)
{
	struct nl_msg *msg = net_link_message(
		RTM_NEWLINK, 0, peer ? peer->index : 0, !peer || strcmp(peer->name, device->peer) ?
			device->peer : NULL);
	unsigned master = device->master[0] ? parent_index(s->site, device->master) : 0;
	int bad = 0;

	if (device->master[0] && !master) {
		nlmsg_free(msg);
		return -ENODEV;
	}
	if (msg && (peer ? peer->master != master : master != 0))
		bad = nla_put_u32(msg, IFLA_MASTER, master);
	if (msg)
		net_link_set_up(msg, true);
	return put_message(s, NET_ROLE_PEER, true, msg, bad);
}

static int put_add(const struct sink *s, const struct net_link *link)
{
	const struct network_device *device = link->device;
	struct nl_msg *msg;
	int rc;

	/* Before the first request is out, since then it is too late. */
	if (device->master[0] && !parent_index(s->site, device->master))
		return -ENODEV;
	msg = net_link_message(RTM_NEWLINK, ADD, 0, link->name);
	rc = msg ? put_lower(msg, device, s->site) : -ENOMEM;

	if (rc == 0 && (put_mtu_mac(msg, device) || put_kind(msg, device, s->site)))
		rc = -ENOMEM;
	if (rc < 0) {
		nlmsg_free(msg);
		return rc;
	}
	rc = put_message(s, NET_ROLE_CREATE, false, msg, 0);
	if (rc >= 0)
		rc = put_altname(s, NET_ROLE_ALTNAME, false, RTM_NEWLINKPROP, link->name, 0,
			link->altname);
	if (rc >= 0)
		rc = put_look(s, link->name);
	if (rc >= 0 && device->kind == NETWORK_VETH)
		rc = put_peer(s, device, NULL);
	return rc;
}

/* The device may have been ours before: a namespace that ends gives it back as it is. */
static int put_move(const struct sink *s, const struct net_link *link)
{
	const struct network_device *device = link->device;
	const struct net_link *there =
		s->site->parent ? net_link_by_name(s->site->parent, device->link) : NULL;
	struct nl_msg *msg;
	int bad, rc = 0;

	if (!there)
		return -ENODEV;
	if (there->is_ours && strcmp(there->altname, link->altname) != 0)
		rc = put_altname(s, NET_ROLE_OLD_NAME, true, RTM_DELLINKPROP, NULL, there->index,
			there->altname);
	if (rc >= 0 && (!there->is_ours || strcmp(there->altname, link->altname) != 0))
		rc = put_altname(s, NET_ROLE_ALTNAME, true, RTM_NEWLINKPROP, NULL, there->index,
			link->altname);
	if (rc < 0)
		return rc;
	msg = net_link_message(RTM_NEWLINK, 0, there->index,
		strcmp(there->name, link->name) ? link->name : NULL);
	bad = msg ? nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)s->site->ns_fd) |
			    put_mtu_mac(msg, device) :
		    0;
	rc = put_message(s, NET_ROLE_CREATE, true, msg, bad);
	return rc < 0 ? rc : put_look(s, link->name);
}

/* The name goes first: afterwards the device is in another namespace. */
static int put_return(const struct sink *s, const struct net_link *link)
{
	const char *name = net_altname_parent_name(link->altname);
	unsigned index = net_site_index(s->site, link->index, link->name);
	struct nl_msg *msg;
	int rc, bad;

	if (index == 0)
		return -ENODEV;
	rc = put_altname(s, NET_ROLE_ALTNAME, false, RTM_DELLINKPROP, NULL, index, link->altname);
	if (rc < 0)
		return rc;
	msg = net_link_message(RTM_NEWLINK, 0, index, name && strcmp(name, link->name) ? name : NULL);
	bad = msg ? nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)s->site->parent_fd) : 0;
	return put_message(s, NET_ROLE_CREATE, false, msg, bad);
}

static int put_set(const struct sink *s, const struct net_link *link, const struct net_link *old)
{
	unsigned index = net_site_index(s->site, old->index, old->name);
	struct nl_msg *msg;
	int bad = 0;

	if (index == 0)
		return -ENODEV;
	msg = net_link_message(RTM_NEWLINK, 0, index,
		strcmp(link->name, old->name) ? link->name : NULL);
	if (msg && link->mtu && link->mtu != old->mtu)
		bad |= nla_put_u32(msg, IFLA_MTU, link->mtu);
	if (msg && link->has_mac && memcmp(link->mac, old->mac, sizeof(link->mac)) != 0)
		bad |= nla_put(msg, IFLA_ADDRESS, sizeof(link->mac), link->mac);
	return put_message(s, NET_ROLE_ONLY, false, msg, bad);
}

static int put_simple(const struct sink *s, const struct net_link *link, int type)
{
	unsigned index = net_site_index(s->site, link->index, link->name);
	struct nl_msg *msg;

	if (index == 0)
		return -ENODEV;
	msg = net_link_message(type, 0, index, NULL);
	if (msg && type == RTM_NEWLINK)
		net_link_set_up(msg, true);
	return put_message(s, NET_ROLE_ONLY, false, msg, 0);
}

int net_link_requests(const struct net_step *step, const struct net_site *site,
	net_request_fn *put, void *arg)
{
	const struct sink s = {site, put, arg};

	switch (step->kind) {
	case NET_LINK_DEL:
		return put_simple(&s, step->link, RTM_DELLINK);
	case NET_LINK_RETURN:
		return put_return(&s, step->link);
	case NET_LINK_ADD:
		return put_add(&s, step->link);
	case NET_LINK_MOVE:
		return put_move(&s, step->link);
	case NET_LINK_SET:
		return put_set(&s, step->link, step->old.link);
	case NET_PEER_SET:
		return put_peer(&s, step->link->device, step->old.link);
	case NET_LINK_UP:
		return put_simple(&s, step->link, RTM_NEWLINK);
	default:
		return -EINVAL;
	}
}
