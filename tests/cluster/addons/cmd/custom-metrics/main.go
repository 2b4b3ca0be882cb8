// Command custom-metrics answers custom.metrics.k8s.io from a Prometheus, by rules in the form of prometheus-adapter. That adapter
// itself is not to be had as a Go module; this one is made of the same library, and reads of the rules what our chart writes.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/api"
	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	adapter "sigs.k8s.io/custom-metrics-apiserver/pkg/cmd"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "custom-metrics:", err)
		os.Exit(1)
	}
}

func run() error {
	server := &adapter.AdapterBase{Name: "custom-metrics"}
	address := server.Flags().String("prometheus-url", "http://127.0.0.1:9090", "the Prometheus to ask")
	path := server.Flags().String("config", "", "file with the rules")
	server.Flags().AddGoFlagSet(flag.CommandLine)
	if err := server.Flags().Parse(os.Args[1:]); err != nil {
		return err
	}
	rules, err := readRules(*path)
	if err != nil {
		return err
	}
	client, err := api.NewClient(api.Config{Address: *address})
	if err != nil {
		return err
	}
	pods, err := server.DynamicClient()
	if err != nil {
		return err
	}
	server.WithCustomMetrics(&metrics{rules: rules, prometheus: prometheus.NewAPI(client), objects: pods})
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	return server.Run(ctx)
}
