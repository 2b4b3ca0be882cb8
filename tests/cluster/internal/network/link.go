package network

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"

	"github.com/vishvananda/netlink"
)

// LinkName is the link that holds the node's address. There is one per machine: kube-proxy's rules are global, so two nodes on
// one machine would break each other.
const LinkName = "chemmodel0"

// Owner returns the folder of the cluster whose node runs on this machine, or "".
func Owner() (string, error) {
	link, err := netlink.LinkByName(LinkName)
	if notFound(err) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("link %s: %w", LinkName, err)
	}
	return link.Attrs().Alias, nil
}

// CreateLink makes the node's link with its address and notes the owner on it. A bridge without ports is used because every
// kernel that runs containers has bridges; pods hang on links of their own.
func CreateLink(p Plan, owner string) error {
	link := &netlink.Bridge{LinkAttrs: netlink.LinkAttrs{Name: LinkName}}
	if err := netlink.LinkAdd(link); err != nil && !errors.Is(err, os.ErrExist) {
		return fmt.Errorf("link %s: %w", LinkName, err)
	}
	made, err := netlink.LinkByName(LinkName)
	if err != nil {
		return fmt.Errorf("link %s: %w", LinkName, err)
	}
	if err := netlink.LinkSetAlias(made, owner); err != nil {
		return fmt.Errorf("alias of link %s: %w", LinkName, err)
	}
	address := &netlink.Addr{IPNet: &net.IPNet{IP: p.NodeAddress.AsSlice(), Mask: net.CIDRMask(32, 32)}}
	if err := netlink.AddrReplace(made, address); err != nil {
		return fmt.Errorf("address %s on link %s: %w", p.NodeAddress, LinkName, err)
	}
	if err := netlink.LinkSetUp(made); err != nil {
		return fmt.Errorf("link %s: %w", LinkName, err)
	}
	// Pods' packets are routed, not bridged. Turned on, never off again: others may have come to rely on it.
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("forwarding of packets: %w", err)
	}
	return nil
}

// DeleteLink removes the node's link if it is the owner's, and says whether it was.
func DeleteLink(owner string) (bool, error) {
	link, err := netlink.LinkByName(LinkName)
	if notFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("link %s: %w", LinkName, err)
	}
	if link.Attrs().Alias != owner {
		return false, nil
	}
	if err := netlink.LinkDel(link); err != nil {
		return false, fmt.Errorf("link %s: %w", LinkName, err)
	}
	return true, nil
}

// InUse lists the networks that this machine has routes to.
func InUse() ([]netip.Prefix, error) {
	routes, err := netlink.RouteList(nil, netlink.FAMILY_V4)
	if err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	var used []netip.Prefix
	for _, route := range routes {
		if route.Dst == nil {
			continue
		}
		if address, ok := netip.AddrFromSlice(route.Dst.IP.To4()); ok {
			ones, _ := route.Dst.Mask.Size()
			used = append(used, netip.PrefixFrom(address, ones))
		}
	}
	return used, nil
}

func notFound(err error) bool {
	var missing netlink.LinkNotFoundError
	return errors.As(err, &missing)
}
