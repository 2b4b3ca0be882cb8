// Command storage-provisioner makes PersistentVolumes of the test cluster's node: one folder each. They are volumes of type `local`,
// which the kubelet treats as it treats a disk: it sets the group that a pod's fsGroup asks for.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/sig-storage-lib-external-provisioner/v13/controller"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "storage-provisioner:", err)
		os.Exit(1)
	}
}

func run() error {
	kubeconfig := flag.String("kubeconfig", "", "how to reach the API server")
	name := flag.String("name", "", "provisioner of the storage classes to serve")
	directory := flag.String("directory", "", "folder of the volumes' folders")
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
	// There is one provisioner; an election would only delay a restart.
	controller.NewProvisionController(ctx, client, *name, directories{root: *directory}, controller.LeaderElection(false)).Run(ctx)
	return nil
}
