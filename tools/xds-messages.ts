/**
 * What of Envoy's API we speak: message to the fields that are kept. A message or field that is not named here is not
 * generated, and the wire format lets a reader skip it. The generator fails when a kept field's message is missing, so
 * the list is always whole. Enums come along with the fields that use them.
 */
export const PROTO_FILES: readonly string[] = [
  'envoy/service/discovery/v3/ads.proto',
  'envoy/service/load_stats/v3/lrs.proto',
  'envoy/config/listener/v3/listener.proto',
  'envoy/config/route/v3/route.proto',
  'envoy/config/cluster/v3/cluster.proto',
  'envoy/config/endpoint/v3/endpoint.proto',
  'envoy/extensions/access_loggers/stream/v3/stream.proto',
  'envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster.proto',
  'envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy.proto',
  'envoy/extensions/filters/http/router/v3/router.proto',
  'envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector.proto',
  'envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager.proto',
  'envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy.proto',
  'envoy/extensions/retry/host/previous_hosts/v3/previous_hosts.proto',
  'envoy/extensions/transport_sockets/tls/v3/tls.proto',
  'envoy/extensions/upstreams/http/v3/http_protocol_options.proto',
];

export const SERVICES: readonly string[] = [
  'envoy.service.discovery.v3.AggregatedDiscoveryService',
  'envoy.service.load_stats.v3.LoadReportingService',
];

/** Short names for messages whose own would meet another's. */
export const NAMES: Readonly<Record<string, string>> = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': 'UpstreamHttpOptions',
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig': 'UpstreamHttpOptionsExplicit',
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig': 'UpstreamHttpOptionsDownstream',
  'envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig': 'DynamicForwardProxyCluster',
  'envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig': 'DynamicForwardProxyFilter',
};

const TLS = 'envoy.extensions.transport_sockets.tls.v3';
const ROUTE = 'envoy.config.route.v3';
const CORE = 'envoy.config.core.v3';
const CLUSTER = 'envoy.config.cluster.v3';
const ENDPOINT = 'envoy.config.endpoint.v3';
const LISTENER = 'envoy.config.listener.v3';
const DISCOVERY = 'envoy.service.discovery.v3';
const HTTP = 'envoy.extensions.filters.network.http_connection_manager.v3';

/** Message to its kept fields, by their names in the proto. */
export const MESSAGES: Readonly<Record<string, readonly string[]>> = {
  // Transport
  [`${DISCOVERY}.DiscoveryRequest`]: [
    'version_info',
    'node',
    'resource_names',
    'type_url',
    'response_nonce',
    'error_detail',
  ],
  [`${DISCOVERY}.DiscoveryResponse`]: ['version_info', 'resources', 'type_url', 'nonce', 'control_plane'],
  [`${DISCOVERY}.DeltaDiscoveryRequest`]: [
    'node',
    'type_url',
    'resource_names_subscribe',
    'resource_names_unsubscribe',
    'initial_resource_versions',
    'response_nonce',
    'error_detail',
  ],
  [`${DISCOVERY}.DeltaDiscoveryResponse`]: [
    'system_version_info',
    'resources',
    'type_url',
    'removed_resources',
    'nonce',
    'control_plane',
  ],
  [`${DISCOVERY}.Resource`]: ['name', 'aliases', 'version', 'resource', 'ttl'],
  'envoy.service.load_stats.v3.LoadStatsRequest': ['node', 'cluster_stats'],
  'envoy.service.load_stats.v3.LoadStatsResponse': ['clusters', 'send_all_clusters', 'load_reporting_interval'],
  [`${ENDPOINT}.ClusterStats`]: [
    'cluster_name',
    'cluster_service_name',
    'upstream_locality_stats',
    'load_report_interval',
  ],
  [`${ENDPOINT}.UpstreamLocalityStats`]: [
    'locality',
    'total_successful_requests',
    'total_requests_in_progress',
    'total_error_requests',
    'total_issued_requests',
  ],
  'google.protobuf.Any': ['type_url', 'value'],
  'google.protobuf.Duration': ['seconds', 'nanos'],
  'google.protobuf.UInt32Value': ['value'],
  'google.protobuf.BoolValue': ['value'],
  'google.rpc.Status': ['code', 'message'],

  // Shared
  [`${CORE}.Node`]: ['id', 'cluster', 'locality', 'user_agent_name', 'user_agent_version', 'client_features'],
  [`${CORE}.Locality`]: ['region', 'zone', 'sub_zone'],
  [`${CORE}.ControlPlane`]: ['identifier'],
  [`${CORE}.Address`]: ['socket_address'],
  [`${CORE}.SocketAddress`]: ['protocol', 'address', 'port_value'],
  [`${CORE}.ConfigSource`]: ['ads', 'self', 'resource_api_version'],
  [`${CORE}.AggregatedConfigSource`]: [],
  [`${CORE}.SelfConfigSource`]: [],
  [`${CORE}.HeaderValueOption`]: ['header', 'append_action'],
  [`${CORE}.HeaderValue`]: ['key', 'value'],
  [`${CORE}.DataSource`]: ['inline_bytes', 'inline_string'],
  [`${CORE}.TransportSocket`]: ['name', 'typed_config'],
  [`${CORE}.HttpProtocolOptions`]: ['idle_timeout'],
  [`${CORE}.Http1ProtocolOptions`]: ['allow_absolute_url'],
  [`${CORE}.Http2ProtocolOptions`]: ['max_concurrent_streams'],
  'envoy.type.matcher.v3.StringMatcher': ['exact', 'prefix', 'suffix', 'contains', 'safe_regex', 'ignore_case'],
  'envoy.type.matcher.v3.RegexMatcher': ['regex'],

  // Listener
  [`${LISTENER}.Listener`]: [
    'name',
    'address',
    'filter_chains',
    'listener_filters',
    'traffic_direction',
    'stat_prefix',
    'api_listener',
  ],
  [`${LISTENER}.ApiListener`]: ['api_listener'],
  [`${LISTENER}.ListenerFilter`]: ['name', 'typed_config'],
  [`${LISTENER}.FilterChain`]: ['filter_chain_match', 'filters', 'transport_socket', 'name'],
  [`${LISTENER}.FilterChainMatch`]: ['server_names', 'transport_protocol', 'application_protocols'],
  [`${LISTENER}.Filter`]: ['name', 'typed_config'],
  'envoy.config.accesslog.v3.AccessLog': ['name', 'typed_config'],
  'envoy.extensions.access_loggers.stream.v3.StdoutAccessLog': [],
  'envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector': [],
  'envoy.extensions.filters.http.router.v3.Router': [],
  'envoy.extensions.filters.http.dynamic_forward_proxy.v3.FilterConfig': ['dns_cache_config'],
  'envoy.extensions.common.dynamic_forward_proxy.v3.DnsCacheConfig': ['name', 'dns_lookup_family'],
  'envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy': ['stat_prefix', 'cluster'],
  [`${HTTP}.HttpConnectionManager`]: [
    'codec_type',
    'stat_prefix',
    'rds',
    'route_config',
    'http_filters',
    'common_http_protocol_options',
    'http_protocol_options',
    'request_headers_timeout',
    'use_remote_address',
    'forward_client_cert_details',
    'set_current_client_cert_details',
    'access_log',
    'upgrade_configs',
  ],
  [`${HTTP}.HttpConnectionManager.SetCurrentClientCertDetails`]: ['uri'],
  [`${HTTP}.HttpConnectionManager.UpgradeConfig`]: ['upgrade_type', 'enabled'],
  [`${HTTP}.HttpFilter`]: ['name', 'typed_config'],
  [`${HTTP}.Rds`]: ['config_source', 'route_config_name'],

  // Route
  [`${ROUTE}.RouteConfiguration`]: ['name', 'virtual_hosts'],
  [`${ROUTE}.VirtualHost`]: ['name', 'domains', 'routes'],
  [`${ROUTE}.Route`]: [
    'name',
    'match',
    'route',
    'redirect',
    'direct_response',
    'request_headers_to_add',
    'request_headers_to_remove',
    'response_headers_to_add',
    'response_headers_to_remove',
  ],
  [`${ROUTE}.RouteMatch`]: [
    'prefix',
    'path',
    'safe_regex',
    'path_separated_prefix',
    'connect_matcher',
    'headers',
    'query_parameters',
  ],
  [`${ROUTE}.RouteMatch.ConnectMatcher`]: [],
  [`${ROUTE}.HeaderMatcher`]: [
    'name',
    'string_match',
    'present_match',
    'invert_match',
    // What gRPC knew before string_match (gRFC A63).
    'exact_match',
    'safe_regex_match',
  ],
  [`${ROUTE}.QueryParameterMatcher`]: ['name', 'string_match', 'present_match'],
  [`${ROUTE}.RouteAction`]: [
    'cluster',
    'weighted_clusters',
    'prefix_rewrite',
    'regex_rewrite',
    'host_rewrite_literal',
    'timeout',
    'retry_policy',
    'upgrade_configs',
    'max_stream_duration',
  ],
  [`${ROUTE}.RouteAction.MaxStreamDuration`]: ['max_stream_duration'],
  'envoy.type.matcher.v3.RegexMatchAndSubstitute': ['pattern', 'substitution'],
  [`${ROUTE}.RouteAction.UpgradeConfig`]: ['upgrade_type', 'enabled', 'connect_config'],
  [`${ROUTE}.RouteAction.UpgradeConfig.ConnectConfig`]: [],
  [`${ROUTE}.WeightedCluster`]: ['clusters'],
  [`${ROUTE}.WeightedCluster.ClusterWeight`]: [
    'name',
    'weight',
    'request_headers_to_add',
    'request_headers_to_remove',
    'response_headers_to_add',
    'response_headers_to_remove',
  ],
  [`${ROUTE}.RetryPolicy`]: [
    'retry_on',
    'num_retries',
    'per_try_timeout',
    'retry_host_predicate',
    'host_selection_retry_max_attempts',
    'retriable_status_codes',
    'retry_back_off',
  ],
  [`${ROUTE}.RetryPolicy.RetryHostPredicate`]: ['name', 'typed_config'],
  [`${ROUTE}.RetryPolicy.RetryBackOff`]: ['base_interval', 'max_interval'],
  'envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate': [],
  [`${ROUTE}.RedirectAction`]: [
    'https_redirect',
    'scheme_redirect',
    'host_redirect',
    'port_redirect',
    'path_redirect',
    'prefix_rewrite',
    'regex_rewrite',
    'response_code',
  ],
  [`${ROUTE}.DirectResponseAction`]: ['status', 'body'],

  // Cluster and endpoints
  [`${CLUSTER}.Cluster`]: [
    'name',
    'alt_stat_name',
    'type',
    'cluster_type',
    'eds_cluster_config',
    'connect_timeout',
    'lb_policy',
    'load_assignment',
    'circuit_breakers',
    'lrs_server',
    'transport_socket',
    'typed_extension_protocol_options',
  ],
  [`${CLUSTER}.Cluster.CustomClusterType`]: ['name', 'typed_config'],
  [`${CLUSTER}.Cluster.EdsClusterConfig`]: ['eds_config', 'service_name'],
  [`${CLUSTER}.CircuitBreakers`]: ['thresholds'],
  [`${CLUSTER}.CircuitBreakers.Thresholds`]: ['priority', 'max_connections', 'max_pending_requests', 'max_requests'],
  'envoy.extensions.clusters.dynamic_forward_proxy.v3.ClusterConfig': ['dns_cache_config'],
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': [
    'common_http_protocol_options',
    'explicit_http_config',
    'use_downstream_protocol_config',
  ],
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.UseDownstreamHttpConfig': [
    'http_protocol_options',
    'http2_protocol_options',
  ],
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions.ExplicitHttpConfig': [
    'http_protocol_options',
    'http2_protocol_options',
  ],
  [`${ENDPOINT}.ClusterLoadAssignment`]: ['cluster_name', 'endpoints'],
  [`${ENDPOINT}.LocalityLbEndpoints`]: ['locality', 'lb_endpoints', 'load_balancing_weight', 'priority'],
  [`${ENDPOINT}.LbEndpoint`]: ['endpoint', 'health_status', 'load_balancing_weight'],
  [`${ENDPOINT}.Endpoint`]: ['address'],

  // TLS
  [`${TLS}.UpstreamTlsContext`]: ['common_tls_context', 'sni'],
  [`${TLS}.DownstreamTlsContext`]: ['common_tls_context', 'require_client_certificate'],
  [`${TLS}.CommonTlsContext`]: [
    'tls_params',
    'tls_certificates',
    'tls_certificate_sds_secret_configs',
    'validation_context',
    'validation_context_sds_secret_config',
    'combined_validation_context',
    'alpn_protocols',
    'tls_certificate_provider_instance',
  ],
  [`${TLS}.CommonTlsContext.CombinedCertificateValidationContext`]: [
    'default_validation_context',
    'validation_context_sds_secret_config',
  ],
  [`${TLS}.TlsParameters`]: ['tls_minimum_protocol_version', 'tls_maximum_protocol_version'],
  [`${TLS}.TlsCertificate`]: ['certificate_chain', 'private_key'],
  [`${TLS}.SdsSecretConfig`]: ['name', 'sds_config'],
  [`${TLS}.CertificateProviderPluginInstance`]: ['instance_name', 'certificate_name'],
  [`${TLS}.CertificateValidationContext`]: [
    'trusted_ca',
    'match_typed_subject_alt_names',
    // What gRPC reads (gRFC A29).
    'ca_certificate_provider_instance',
    'match_subject_alt_names',
  ],
  [`${TLS}.SubjectAltNameMatcher`]: ['san_type', 'matcher'],
};
