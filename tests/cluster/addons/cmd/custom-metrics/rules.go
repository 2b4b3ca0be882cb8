package main

import (
	"bytes"
	"fmt"
	"os"
	"text/template"

	"sigs.k8s.io/yaml"
)

// rule says which series are a metric, and how they are asked for.
type rule struct {
	// SeriesQuery names the series; its name is the metric's.
	SeriesQuery string `json:"seriesQuery"`
	Resources   struct {
		// Overrides by the label that names an object of that kind.
		Overrides map[string]struct {
			Resource string `json:"resource"`
		} `json:"overrides"`
	} `json:"resources"`
	MetricsQuery string `json:"metricsQuery"`

	query *template.Template
}

// question is what a rule's query is filled with.
type question struct {
	Series, LabelMatchers, GroupBy string
}

// readRules reads a configuration. What it does not know is an error: a rule that is half read would prove nothing.
func readRules(path string) (map[string]rule, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("rules: %w", err)
	}
	var config struct {
		Rules []rule `json:"rules"`
	}
	if err := yaml.UnmarshalStrict(text, &config); err != nil {
		return nil, fmt.Errorf("rules in %s: %w", path, err)
	}
	rules := map[string]rule{}
	for _, r := range config.Rules {
		name, _, _ := bytes.Cut([]byte(r.SeriesQuery), []byte("{"))
		r.query, err = template.New(string(name)).Delims("<<", ">>").Parse(r.MetricsQuery)
		if err != nil {
			return nil, fmt.Errorf("rules in %s: metricsQuery of %s: %w", path, name, err)
		}
		rules[string(name)] = r
	}
	if len(rules) == 0 {
		return nil, fmt.Errorf("rules in %s: there are none", path)
	}
	return rules, nil
}

// label is the label that names the object of a kind.
func (r rule) label(resource string) (string, error) {
	for label, override := range r.Resources.Overrides {
		if override.Resource == resource {
			return label, nil
		}
	}
	return "", fmt.Errorf("no label of %s names a %s", r.query.Name(), resource)
}

func (r rule) fill(q question) (string, error) {
	var text bytes.Buffer
	err := r.query.Execute(&text, q)
	return text.String(), err
}
