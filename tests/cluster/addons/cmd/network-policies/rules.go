package main

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// world is what the API server says now.
type world struct {
	pods       []*corev1.Pod
	namespaces []*corev1.Namespace
	policies   []*networkingv1.NetworkPolicy
}

// rules are those of nftables, in their order, and the policies that they leave out.
func (w world) rules() (rules []string, refused []string) {
	allowed := map[string][]string{}
	for _, policy := range w.policies {
		err := w.enforce(policy, allowed)
		if err != nil {
			refused = append(refused, fmt.Sprintf("%s/%s: %v", policy.Namespace, policy.Name, err))
		}
	}
	for address, accepts := range allowed {
		slices.Sort(accepts)
		for _, accept := range slices.Compact(accepts) {
			rules = append(rules, fmt.Sprintf("ip daddr %s %s accept", address, accept))
		}
		// After those that accept: nftables takes the first that decides.
		rules = append(rules, fmt.Sprintf("ip daddr %s drop", address))
	}
	slices.SortStableFunc(rules, func(a, b string) int { return strings.Compare(destination(a), destination(b)) })
	return rules, refused
}

func destination(rule string) string { return strings.Fields(rule)[2] }

// enforce adds for each pod of a policy who may connect to it.
func (w world) enforce(policy *networkingv1.NetworkPolicy, allowed map[string][]string) error {
	if slices.Contains(policy.Spec.PolicyTypes, networkingv1.PolicyTypeEgress) {
		return fmt.Errorf("egress is not enforced here")
	}
	selector, err := metav1.LabelSelectorAsSelector(&policy.Spec.PodSelector)
	if err != nil {
		return err
	}
	for _, pod := range w.pods {
		if pod.Namespace != policy.Namespace || !selector.Matches(labels.Set(pod.Labels)) || !hasAddress(pod) {
			continue
		}
		accepts := allowed[pod.Status.PodIP]
		for _, ingress := range policy.Spec.Ingress {
			more, err := w.accept(policy.Namespace, ingress, pod)
			if err != nil {
				return err
			}
			accepts = append(accepts, more...)
		}
		// Also without any rule: a pod that a policy selects is closed.
		allowed[pod.Status.PodIP] = accepts
	}
	return nil
}

// accept is what lets the peers of one rule pass to a pod.
func (w world) accept(namespace string, ingress networkingv1.NetworkPolicyIngressRule, pod *corev1.Pod) ([]string, error) {
	from := ""
	if len(ingress.From) > 0 {
		addresses, err := w.addresses(namespace, ingress.From)
		if err != nil || len(addresses) == 0 {
			return nil, err
		}
		from = fmt.Sprintf("ip saddr { %s } ", strings.Join(addresses, ", "))
	}
	if len(ingress.Ports) == 0 {
		return []string{from + "meta l4proto { tcp, udp }"}, nil
	}
	var accepts []string
	for _, port := range ingress.Ports {
		number, protocol, err := resolve(port, pod)
		if err != nil {
			return nil, err
		}
		accepts = append(accepts, fmt.Sprintf("%s%s dport %d", from, protocol, number))
	}
	return accepts, nil
}

func (w world) addresses(namespace string, peers []networkingv1.NetworkPolicyPeer) ([]string, error) {
	var addresses []string
	for _, peer := range peers {
		if peer.IPBlock != nil {
			return nil, fmt.Errorf("blocks of addresses are not enforced here")
		}
		namespaces := labels.SelectorFromSet(labels.Set{corev1.LabelMetadataName: namespace})
		pods := labels.Everything()
		var err error
		if peer.NamespaceSelector != nil {
			if namespaces, err = metav1.LabelSelectorAsSelector(peer.NamespaceSelector); err != nil {
				return nil, err
			}
		}
		if peer.PodSelector != nil {
			if pods, err = metav1.LabelSelectorAsSelector(peer.PodSelector); err != nil {
				return nil, err
			}
		}
		for _, pod := range w.pods {
			if hasAddress(pod) && pods.Matches(labels.Set(pod.Labels)) && namespaces.Matches(w.labelsOf(pod.Namespace)) {
				addresses = append(addresses, pod.Status.PodIP)
			}
		}
	}
	slices.Sort(addresses)
	return slices.Compact(addresses), nil
}

func (w world) labelsOf(namespace string) labels.Set {
	for _, one := range w.namespaces {
		if one.Name == namespace {
			return one.Labels
		}
	}
	return nil
}

// resolve finds the number of a port that may be named.
func resolve(port networkingv1.NetworkPolicyPort, pod *corev1.Pod) (number int32, protocol string, err error) {
	protocol = "tcp"
	if port.Protocol != nil {
		protocol = strings.ToLower(string(*port.Protocol))
	}
	if port.Port == nil || port.EndPort != nil {
		return 0, "", fmt.Errorf("all ports, or a range of them, are not enforced here")
	}
	if port.Port.Type == intstr.Int {
		return port.Port.IntVal, protocol, nil
	}
	for _, container := range pod.Spec.Containers {
		for _, known := range container.Ports {
			if known.Name == port.Port.StrVal {
				return known.ContainerPort, protocol, nil
			}
		}
	}
	return 0, "", fmt.Errorf("pod %s has no port %q", pod.Name, port.Port.StrVal)
}

func hasAddress(pod *corev1.Pod) bool {
	return pod.Status.PodIP != "" && !pod.Spec.HostNetwork && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}
