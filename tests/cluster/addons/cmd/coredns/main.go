// Command coredns is CoreDNS with only the plugins that the test cluster's Corefile names. The full build compiles the
// clients of four clouds, which takes four times as long; it is a module of its own because CoreDNS wants newer Kubernetes
// libraries than the cluster's components.
package main

import (
	"github.com/coredns/coredns/core/dnsserver"
	"github.com/coredns/coredns/coremain"

	_ "github.com/coredns/coredns/plugin/bind"
	_ "github.com/coredns/coredns/plugin/cache"
	_ "github.com/coredns/coredns/plugin/errors"
	_ "github.com/coredns/coredns/plugin/forward"
	_ "github.com/coredns/coredns/plugin/kubernetes"
	_ "github.com/coredns/coredns/plugin/ready"
)

func main() {
	// CoreDNS runs plugins in this order, whatever the order in the Corefile.
	dnsserver.Directives = []string{"bind", "ready", "errors", "cache", "kubernetes", "forward"}
	coremain.Run()
}
