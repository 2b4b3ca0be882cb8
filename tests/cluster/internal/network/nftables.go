package network

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// table holds our only rule: pods reach the world outside under the machine's address.
const table = "chemmodel"

// PoliciesTable is of the family ip and holds the rules of NetworkPolicies.
const PoliciesTable = "chemmodel-policies"

// ruleset is replaced as a whole, so that it can be loaded again.
const ruleset = `
table ip %[1]s {}
delete table ip %[1]s
table ip %[1]s {
	chain postrouting {
		type nat hook postrouting priority srcnat; policy accept;
		ip saddr %[2]s ip daddr != %[3]s masquerade
	}
}
`

// proxyTables are those of kube-proxy in nftables mode.
var proxyTables = []string{"ip kube-proxy", "ip6 kube-proxy"}

// CreateTable loads the rule for the pods of the plan. Traffic inside the plan's block keeps its source address.
func CreateTable(ctx context.Context, p Plan) error {
	block, err := p.NodeAddress.Prefix(16)
	if err != nil {
		return fmt.Errorf("nftables: %w", err)
	}
	_, err = nft(ctx, fmt.Sprintf(ruleset, table, p.Pods, block), "-f", "-")
	return err
}

// ProxyRuns says whether some kube-proxy has its rules on this machine.
func ProxyRuns(ctx context.Context) (bool, error) {
	tables, err := nft(ctx, "", "list", "tables")
	return strings.Contains(tables, proxyTables[0]), err
}

// DeleteTables removes our tables and kube-proxy's.
func DeleteTables(ctx context.Context) error {
	existing, err := nft(ctx, "", "list", "tables")
	if err != nil {
		return err
	}
	for _, name := range append([]string{"ip " + table, "ip " + PoliciesTable}, proxyTables...) {
		for _, line := range strings.Split(existing, "\n") {
			if line != "table "+name {
				continue
			}
			if _, err := nft(ctx, "delete table "+name, "-f", "-"); err != nil {
				return err
			}
		}
	}
	return nil
}

func nft(ctx context.Context, stdin string, arguments ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "nft", arguments...)
	cmd.Stdin = strings.NewReader(stdin)
	said, err := cmd.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("nft %s: %w: %s", strings.Join(arguments, " "), err, strings.TrimSpace(string(said)))
	}
	return string(said), nil
}
