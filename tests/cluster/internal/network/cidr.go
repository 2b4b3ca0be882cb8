// Package network chooses addresses and ports that are free on this machine, and makes and removes the few kernel objects
// that pods' traffic needs: one link, one nftables table. Pods, kube-proxy and CNI make the rest.
package network

import (
	"fmt"
	"net/netip"
)

// Plan is the address plan of one cluster: one /16 block, cut into three parts that never overlap.
type Plan struct {
	// NodeAddress is the address of the node's own link: host and pods reach the cluster's servers there.
	NodeAddress netip.Addr   `json:"nodeAddress"`
	Pods        netip.Prefix `json:"pods"`
	Services    netip.Prefix `json:"services"`
	// APIService is the cluster address of the API server, DNS that of the name server.
	APIService netip.Addr `json:"apiService"`
	DNS        netip.Addr `json:"dns"`
}

// candidates are the /16 blocks that are tried in this order.
var candidates = []string{
	"10.244.0.0/16", "10.233.0.0/16", "10.97.0.0/16", "172.28.0.0/16", "172.30.0.0/16", "192.168.0.0/16", "10.11.0.0/16",
}

// Choose returns a plan inside the first candidate block that overlaps none of the networks in use.
func Choose(inUse []netip.Prefix) (Plan, error) {
	for _, text := range candidates {
		block, err := netip.ParsePrefix(text)
		if err != nil {
			return Plan{}, err
		}
		if !overlapsAny(block, inUse) {
			return planOf(block), nil
		}
	}
	return Plan{}, fmt.Errorf("no free network for pods and services: each of %v overlaps a route of this machine (`ip route show table all`); remove one", candidates)
}

func planOf(block netip.Prefix) Plan {
	b := block.Addr().As4()
	at := func(c, d byte) netip.Addr { return netip.AddrFrom4([4]byte{b[0], b[1], c, d}) }
	return Plan{
		Pods:        netip.PrefixFrom(at(0, 0), 24),
		NodeAddress: at(64, 1),
		Services:    netip.PrefixFrom(at(128, 0), 20),
		APIService:  at(128, 1),
		DNS:         at(128, 10),
	}
}

func overlapsAny(block netip.Prefix, inUse []netip.Prefix) bool {
	for _, used := range inUse {
		// A default route covers everything and collides with nothing.
		if used.Bits() > 0 && used.Overlaps(block) {
			return true
		}
	}
	return false
}
