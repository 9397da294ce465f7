// Command go-control-plane serves xDS with Envoy's Go control plane, as its own example and test server do: the test writes
// snapshots to standard input, one JSON object a line, and reads what the proxy said from standard output.
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"net"
	"os"
	"sync"

	discovery "github.com/envoyproxy/go-control-plane/envoy/service/discovery/v3"
	"github.com/envoyproxy/go-control-plane/pkg/cache/types"
	"github.com/envoyproxy/go-control-plane/pkg/cache/v3"
	"github.com/envoyproxy/go-control-plane/pkg/resource/v3"
	"github.com/envoyproxy/go-control-plane/pkg/server/v3"
	fixture "github.com/envoyproxy/go-control-plane/pkg/test/resource/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// snapshot names the resources; what they hold is what go-control-plane's own tests give to Envoy.
type snapshot struct {
	Version   string `json:"version"`
	Listeners []struct {
		Name  string `json:"name"`
		Port  uint32 `json:"port"`
		Route string `json:"route"`
	} `json:"listeners"`
	Routes []struct {
		Name    string `json:"name"`
		Cluster string `json:"cluster"`
	} `json:"routes"`
	Clusters []struct {
		Name string `json:"name"`
		Port uint32 `json:"port"`
	} `json:"clusters"`
}

type event struct {
	Event string `json:"event"`
	Mode  string `json:"mode,omitempty"`
	Type  string `json:"type,omitempty"`
	Nonce string `json:"nonce,omitempty"`
	Error string `json:"error,omitempty"`
	Port  int    `json:"port,omitempty"`
	// Of a response: how many resources it held.
	Resources int `json:"resources,omitempty"`
}

var output sync.Mutex

func say(e event) {
	output.Lock()
	defer output.Unlock()
	line, _ := json.Marshal(e)
	fmt.Println(string(line))
}

func main() {
	certificate := flag.String("cert", "", "the server's chain and key, in one PEM file")
	roots := flag.String("ca", "", "who may connect")
	node := flag.String("node", "", "the node id that snapshots are for")
	flag.Parse()

	pair, err := tls.LoadX509KeyPair(*certificate, *certificate)
	if err != nil {
		log.Fatal(err)
	}
	pem, err := os.ReadFile(*roots)
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	secure := credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{pair},
		ClientAuth:   tls.RequireAndVerifyClientCert,
		ClientCAs:    pool,
		MinVersion:   tls.VersionTLS13,
	})

	snapshots := cache.NewSnapshotCache(true, cache.IDHash{}, nil)
	callbacks := server.CallbackFuncs{
		StreamRequestFunc: func(_ int64, r *discovery.DiscoveryRequest) error {
			say(event{Event: "request", Mode: "sotw", Type: r.GetTypeUrl(), Nonce: r.GetResponseNonce(), Error: r.GetErrorDetail().GetMessage()})
			return nil
		},
		StreamResponseFunc: func(_ context.Context, _ int64, _ *discovery.DiscoveryRequest, r *discovery.DiscoveryResponse) {
			say(event{Event: "response", Mode: "sotw", Type: r.GetTypeUrl(), Nonce: r.GetNonce(), Resources: len(r.GetResources())})
		},
		StreamDeltaRequestFunc: func(_ int64, r *discovery.DeltaDiscoveryRequest) error {
			say(event{Event: "request", Mode: "delta", Type: r.GetTypeUrl(), Nonce: r.GetResponseNonce(), Error: r.GetErrorDetail().GetMessage()})
			return nil
		},
		StreamDeltaResponseFunc: func(_ int64, _ *discovery.DeltaDiscoveryRequest, r *discovery.DeltaDiscoveryResponse) {
			say(event{Event: "response", Mode: "delta", Type: r.GetTypeUrl(), Nonce: r.GetNonce(), Resources: len(r.GetResources())})
		},
	}
	ctx := context.Background()
	grpcServer := grpc.NewServer(grpc.Creds(secure))
	discovery.RegisterAggregatedDiscoveryServiceServer(grpcServer, server.NewServer(ctx, snapshots, callbacks))
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() { log.Fatal(grpcServer.Serve(listener)) }()
	say(event{Event: "listening", Port: listener.Addr().(*net.TCPAddr).Port})

	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		if err := set(ctx, snapshots, *node, lines.Bytes()); err != nil {
			log.Fatal(err)
		}
	}
}

func set(ctx context.Context, snapshots cache.SnapshotCache, node string, line []byte) error {
	var wanted snapshot
	if err := json.Unmarshal(line, &wanted); err != nil {
		return err
	}
	resources := map[resource.Type][]types.Resource{
		resource.ListenerType: {}, resource.RouteType: {}, resource.ClusterType: {}, resource.EndpointType: {},
	}
	add := func(kind resource.Type, one types.Resource) { resources[kind] = append(resources[kind], one) }
	for _, one := range wanted.Listeners {
		add(resource.ListenerType, fixture.MakeRouteHTTPListener(fixture.Ads, one.Name, one.Port, one.Route))
	}
	for _, one := range wanted.Routes {
		add(resource.RouteType, fixture.MakeRouteConfig(one.Name, one.Cluster))
	}
	for _, one := range wanted.Clusters {
		add(resource.ClusterType, fixture.MakeCluster(fixture.Ads, one.Name))
		add(resource.EndpointType, fixture.MakeEndpoint(one.Name, one.Port))
	}
	made, err := cache.NewSnapshot(wanted.Version, resources)
	if err != nil {
		return err
	}
	if err := made.Consistent(); err != nil {
		return err
	}
	return snapshots.SetSnapshot(ctx, node, made)
}
