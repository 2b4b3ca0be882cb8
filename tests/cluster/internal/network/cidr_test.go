package network

import (
	"net/netip"
	"testing"
)

func TestChooseTakesTheFirstBlockThatNoRouteOverlaps(t *testing.T) {
	for name, test := range map[string]struct {
		inUse []string
		pods  string
	}{
		"nothing in use":                   {nil, "10.244.0.0/24"},
		"a default route collides with no": {[]string{"0.0.0.0/0"}, "10.244.0.0/24"},
		"a smaller network inside":         {[]string{"10.244.7.0/24"}, "10.233.0.0/24"},
		"a larger network around":          {[]string{"10.0.0.0/8"}, "172.28.0.0/24"},
		"a single address":                 {[]string{"10.244.255.255/32", "10.233.0.1/32"}, "10.97.0.0/24"},
	} {
		t.Run(name, func(t *testing.T) {
			var inUse []netip.Prefix
			for _, text := range test.inUse {
				inUse = append(inUse, netip.MustParsePrefix(text))
			}
			plan, err := Choose(inUse)
			if err != nil || plan.Pods.String() != test.pods {
				t.Errorf("pods %v, %v; want %s", plan.Pods, err, test.pods)
			}
		})
	}
}

func TestChooseSaysNoWhenEveryBlockIsTaken(t *testing.T) {
	inUse := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16")}
	if plan, err := Choose(inUse); err == nil {
		t.Errorf("chose %v", plan)
	}
}

func TestThePartsOfAPlanDoNotOverlap(t *testing.T) {
	plan, err := Choose(nil)
	if err != nil {
		t.Fatal(err)
	}
	if plan.Pods.Overlaps(plan.Services) {
		t.Errorf("pods %v overlap services %v", plan.Pods, plan.Services)
	}
	if plan.Pods.Contains(plan.NodeAddress) || plan.Services.Contains(plan.NodeAddress) {
		t.Errorf("node address %v lies among pods %v or services %v", plan.NodeAddress, plan.Pods, plan.Services)
	}
	if !plan.Services.Contains(plan.APIService) || !plan.Services.Contains(plan.DNS) {
		t.Errorf("addresses %v and %v lie outside the services %v", plan.APIService, plan.DNS, plan.Services)
	}
}
