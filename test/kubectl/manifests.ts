/** A Deployment as people write it: what the schema defaults is left out. */
export function deploymentYaml(name: string, image = 'shop/web:v1', replicas = 2): string {
  return `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
  labels: {app: ${name}}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      containers:
        - name: app
          image: ${image}
          ports: [{containerPort: 8080}]
          env: [{name: LEVEL, value: info}]
          readinessProbe: {httpGet: {path: /healthz, port: 8080}}
`;
}

export function serviceYaml(name: string): string {
  return `
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec:
  selector: {app: ${name}}
  ports: [{name: http, port: 80, targetPort: 8080}]
`;
}

export function configMapYaml(name: string, data: Readonly<Record<string, string>>): string {
  return `
apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}}
data: ${JSON.stringify(data)}
`;
}
