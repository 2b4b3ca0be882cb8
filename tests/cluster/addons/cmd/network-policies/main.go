// Command network-policies enforces the part of NetworkPolicies that our operator writes: who may connect to a pod, by labels of pods and
// namespaces and by ports. Network plugins that enforce all of it are not to be had as Go modules. A policy with anything else is refused
// loudly instead of being half enforced.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "network-policies:", err)
		os.Exit(1)
	}
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	table := flag.String("table", "", "nftables table of the family ip that holds the rules, and nothing else")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		return err
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	factory := informers.NewSharedInformerFactory(client, 0)
	pods, namespaces := factory.Core().V1().Pods(), factory.Core().V1().Namespaces()
	policies := factory.Networking().V1().NetworkPolicies()
	changed := make(chan struct{}, 1)
	tell := func() {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
	for _, informer := range []cache.SharedIndexInformer{pods.Informer(), namespaces.Informer(), policies.Informer()} {
		_, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
			AddFunc: func(any) { tell() }, UpdateFunc: func(any, any) { tell() }, DeleteFunc: func(any) { tell() },
		})
		if err != nil {
			return err
		}
	}
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())

	var last string
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
		var seen world
		if seen.pods, err = pods.Lister().List(labels.Everything()); err != nil {
			return err
		}
		if seen.namespaces, err = namespaces.Lister().List(labels.Everything()); err != nil {
			return err
		}
		if seen.policies, err = policies.Lister().List(labels.Everything()); err != nil {
			return err
		}
		rules, refused := seen.rules()
		for _, why := range refused {
			fmt.Fprintln(os.Stderr, "refused:", why)
		}
		text := script(*table, rules)
		if text == last {
			continue
		}
		if err := nft(ctx, text); err != nil {
			return err
		}
		last = text
	}
}

// script replaces the chain by the rules in one transaction.
func script(table string, rules []string) string {
	var text strings.Builder
	fmt.Fprintf(&text, "add table ip %s\n", table)
	fmt.Fprintf(&text, "add chain ip %s policies { type filter hook forward priority 10; policy accept; }\n", table)
	fmt.Fprintf(&text, "flush chain ip %s policies\n", table)
	for _, rule := range append([]string{"ct state established,related accept"}, rules...) {
		fmt.Fprintf(&text, "add rule ip %s policies %s\n", table, rule)
	}
	return text.String()
}

func nft(ctx context.Context, script string) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(script)
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("nft: %w: %s\n%s", err, said.Bytes(), script)
	}
	return nil
}
