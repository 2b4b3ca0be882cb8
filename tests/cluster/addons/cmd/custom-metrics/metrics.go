package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	prometheus "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/model"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/metrics/pkg/apis/custom_metrics"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/provider"
)

var pods = schema.GroupResource{Resource: "pods"}

// metrics answers for pods.
type metrics struct {
	rules      map[string]rule
	prometheus prometheus.API
	objects    dynamic.Interface
}

func (m *metrics) GetMetricByName(ctx context.Context, name types.NamespacedName, info provider.CustomMetricInfo, _ labels.Selector) (*custom_metrics.MetricValue, error) {
	values, err := m.ask(ctx, name.Namespace, []string{name.Name}, info)
	if err != nil {
		return nil, err
	}
	if len(values) == 0 {
		return nil, provider.NewMetricNotFoundForError(info.GroupResource, info.Metric, name.Name)
	}
	return &values[0], nil
}

func (m *metrics) GetMetricBySelector(ctx context.Context, namespace string, selector labels.Selector, info provider.CustomMetricInfo, _ labels.Selector) (*custom_metrics.MetricValueList, error) {
	list, err := m.objects.Resource(pods.WithVersion("v1")).Namespace(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, list.Items[i].GetName())
	}
	values, err := m.ask(ctx, namespace, names, info)
	if err != nil {
		return nil, err
	}
	return &custom_metrics.MetricValueList{Items: values}, nil
}

func (m *metrics) ListAllMetrics() []provider.CustomMetricInfo {
	infos := make([]provider.CustomMetricInfo, 0, len(m.rules))
	for name := range m.rules {
		infos = append(infos, provider.CustomMetricInfo{GroupResource: pods, Namespaced: true, Metric: name})
	}
	return infos
}

// ask asks Prometheus for one metric of some pods of a namespace.
func (m *metrics) ask(ctx context.Context, namespace string, names []string, info provider.CustomMetricInfo) ([]custom_metrics.MetricValue, error) {
	r, known := m.rules[info.Metric]
	if !known || info.GroupResource != pods {
		return nil, provider.NewMetricNotFoundError(info.GroupResource, info.Metric)
	}
	namespaceLabel, err := r.label("namespace")
	if err != nil {
		return nil, err
	}
	podLabel, err := r.label("pod")
	if err != nil {
		return nil, err
	}
	// Names of objects hold nothing that a regular expression or a string would have to escape but the dot, which matches itself.
	matchers := fmt.Sprintf("%s=%q,%s=~%q", namespaceLabel, namespace, podLabel, strings.Join(names, "|"))
	query, err := r.fill(question{Series: info.Metric, LabelMatchers: matchers, GroupBy: podLabel})
	if err != nil {
		return nil, err
	}
	answer, _, err := m.prometheus.Query(ctx, query, time.Now())
	if err != nil {
		return nil, fmt.Errorf("%s: %w", query, err)
	}
	vector, ok := answer.(model.Vector)
	if !ok {
		return nil, fmt.Errorf("%s: the answer is a %s and no vector", query, answer.Type())
	}
	values := make([]custom_metrics.MetricValue, 0, len(vector))
	for _, sample := range vector {
		name := types.NamespacedName{Namespace: namespace, Name: string(sample.Metric[model.LabelName(podLabel)])}
		values = append(values, custom_metrics.MetricValue{
			DescribedObject: custom_metrics.ObjectReference{APIVersion: "v1", Kind: "Pod", Namespace: name.Namespace, Name: name.Name},
			Metric:          custom_metrics.MetricIdentifier{Name: info.Metric},
			Timestamp:       metav1.NewTime(sample.Timestamp.Time()),
			Value:           *resource.NewMilliQuantity(int64(sample.Value*1000), resource.DecimalSI),
		})
	}
	return values, nil
}
