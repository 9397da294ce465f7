"""What people do with Debian's python3-kubernetes: create, watch, patch, list and delete. Prints one JSON document."""

import json
import sys

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException

config.load_kube_config(sys.argv[1])
core = client.CoreV1Api()
apps = client.AppsV1Api()
routes = client.CustomObjectsApi()
namespace = "default"
found = {}

deployment = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web", "labels": {"app": "web"}},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "shop/web:v1"}]},
        },
    },
}

created = apps.create_namespaced_deployment(namespace, deployment)
found["strategy"] = created.spec.strategy.type
found["pullPolicy"] = created.spec.template.spec.containers[0].image_pull_policy
scaled = apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 5}})
found["scaled"] = scaled.spec.replicas
container = {"name": "app", "env": [{"name": "LEVEL", "value": "info"}]}
patched = apps.patch_namespaced_deployment("web", namespace, {"spec": {"template": {"spec": {"containers": [container]}}}})
found["patched"] = [patched.spec.template.spec.containers[0].image, patched.spec.template.spec.containers[0].env[0].value]
found["generation"] = patched.metadata.generation
patched.spec.replicas = 3
replaced = apps.replace_namespaced_deployment("web", namespace, patched)
found["replaced"] = replaced.spec.replicas
try:
    apps.replace_namespaced_deployment("web", namespace, patched)
except ApiException as error:
    found["stale"] = [error.status, json.loads(error.body)["reason"]]

first = core.create_namespaced_config_map(namespace, client.V1ConfigMap(metadata={"name": "conf"}, data={"a": "1"}))
core.patch_namespaced_config_map("conf", namespace, {"data": {"a": "2"}})
core.delete_namespaced_config_map("conf", namespace)
events = []
watching = watch.Watch()
for event in watching.stream(
    core.list_namespaced_config_map,
    namespace,
    resource_version=first.metadata.resource_version,
    timeout_seconds=20,
):
    events.append([event["type"], event["object"].metadata.name, event["object"].data])
    if event["type"] == "DELETED":
        watching.stop()
found["events"] = events

for name in ["a", "b", "c"]:
    core.create_namespaced_secret(namespace, client.V1Secret(metadata={"name": name}, string_data={"key": name}))
page = core.list_namespaced_secret(namespace, limit=2)
rest = core.list_namespaced_secret(namespace, limit=2, _continue=page.metadata._continue)
found["pages"] = [[item.metadata.name for item in each.items] for each in (page, rest)]

group, version = "gateway.networking.k8s.io", "v1"
route = {
    "apiVersion": f"{group}/{version}",
    "kind": "HTTPRoute",
    "metadata": {"name": "web"},
    "spec": {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": "web", "port": 80}]}]},
}
routes.create_namespaced_custom_object(group, version, namespace, "httproutes", route)
weight = {"spec": {"hostnames": ["shop.example"]}}
changed = routes.patch_namespaced_custom_object(group, version, namespace, "httproutes", "web", weight)
found["route"] = [changed["spec"]["hostnames"], changed["spec"]["rules"][0]["backendRefs"][0]["weight"]]

deleted = apps.delete_namespaced_deployment("web", namespace)
found["deleted"] = deleted.status
try:
    apps.read_namespaced_deployment("web", namespace)
except ApiException as error:
    found["gone"] = error.status

print(json.dumps(found))
