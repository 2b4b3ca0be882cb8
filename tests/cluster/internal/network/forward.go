package network

import (
	"context"
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
)

// Docker makes DROP the policy of the chain FORWARD when it is what turned forwarding on; in nftables a drop anywhere is final, so
// pods need rules in that very chain. They are made by iptables, as Docker's are, and carry a comment by which they are found again.
const forwardComment = "chemmodel"

// AllowForwarding lets pods' packets through a FORWARD chain that drops by default.
func AllowForwarding(ctx context.Context, pods netip.Prefix) error {
	chain, err := forwardChain(ctx)
	if err != nil || !strings.Contains(chain, "-P FORWARD DROP") || strings.Contains(chain, forwardComment) {
		return err
	}
	return forwardRules(ctx, "-I", pods)
}

// ForbidForwarding removes what AllowForwarding made.
func ForbidForwarding(ctx context.Context, pods netip.Prefix) error {
	chain, err := forwardChain(ctx)
	if err != nil || !strings.Contains(chain, forwardComment) {
		return err
	}
	return forwardRules(ctx, "-D", pods)
}

// forwardChain lists the chain as iptables does, which knows its comments; nothing where there is no chain. nft is asked first,
// because iptables makes the chain that it is to list.
func forwardChain(ctx context.Context) (string, error) {
	tables, err := nft(ctx, "", "list", "tables")
	if err != nil || !strings.Contains(tables, "table ip filter\n") {
		return "", err
	}
	filter, err := nft(ctx, "", "list", "table", "ip", "filter")
	if err != nil || !strings.Contains(filter, "chain FORWARD ") {
		return "", err
	}
	return iptables(ctx, "-S", "FORWARD")
}

func forwardRules(ctx context.Context, action string, pods netip.Prefix) error {
	for _, direction := range []string{"-s", "-d"} {
		if _, err := iptables(ctx, action, "FORWARD", direction, pods.String(), "-m", "comment", "--comment", forwardComment, "-j", "ACCEPT"); err != nil {
			return err
		}
	}
	return nil
}

func iptables(ctx context.Context, arguments ...string) (string, error) {
	said, err := exec.CommandContext(ctx, "iptables", append([]string{"--wait"}, arguments...)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("iptables %s: %w: %s", strings.Join(arguments, " "), err, strings.TrimSpace(string(said)))
	}
	return string(said), nil
}
