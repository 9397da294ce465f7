// The referee of managed fields: Kubernetes' own field manager (k8s.io/apimachinery/pkg/util/managedfields) with the schemas
// of its built-in kinds (k8s.io/client-go/applyconfigurations). It reads scenarios as JSON from stdin and writes, for each
// step, the object, who owns what of it, or the error's message.
package main

import (
	"encoding/json"
	"os"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/managedfields/managedfieldstest"
	"k8s.io/client-go/applyconfigurations"
	"k8s.io/client-go/kubernetes/scheme"
)

type step struct {
	Op      string         `json:"op"`
	Manager string         `json:"manager"`
	Force   bool           `json:"force"`
	Object  map[string]any `json:"object"`
}

type scenario struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Steps      []step `json:"steps"`
}

type answer struct {
	Object map[string]any `json:"object"`
	Error  string         `json:"error,omitempty"`
}

func main() {
	var scenarios []scenario
	if err := json.NewDecoder(os.Stdin).Decode(&scenarios); err != nil {
		panic(err)
	}
	answers := make([][]answer, 0, len(scenarios))
	for _, each := range scenarios {
		answers = append(answers, play(each))
	}
	if err := json.NewEncoder(os.Stdout).Encode(answers); err != nil {
		panic(err)
	}
}

func play(given scenario) []answer {
	gvk := schema.FromAPIVersionAndKind(given.APIVersion, given.Kind)
	manager := managedfieldstest.NewFakeFieldManager(applyconfigurations.NewTypeConverter(scheme.Scheme), gvk)
	live := &unstructured.Unstructured{Object: map[string]any{"apiVersion": given.APIVersion, "kind": given.Kind}}
	answers := []answer{}
	for _, each := range given.Steps {
		object := &unstructured.Unstructured{Object: each.Object}
		said := answer{}
		if each.Op == "apply" {
			next, err := manager.Apply(live, object, each.Manager, each.Force)
			if err == nil {
				live = next.(*unstructured.Unstructured)
			} else {
				said.Error = err.Error()
			}
		} else {
			next, err := manager.Update(live, object, each.Manager)
			if err == nil {
				live = next.(*unstructured.Unstructured)
			} else {
				said.Error = err.Error()
			}
		}
		said.Object = live.DeepCopy().Object
		answers = append(answers, said)
	}
	return answers
}
