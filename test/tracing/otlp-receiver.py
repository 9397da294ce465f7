"""An OTLP/HTTP receiver: parses each batch by OpenTelemetry's own protobuf and prints every trace as a tree. Usage: otlp-receiver.py PORT"""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

IDS = ("traceId", "spanId", "parentSpanId")


def parse(text):
    """OTLP's JSON differs from protobuf's own in ids alone: they are hexadecimal, not base64."""
    document = json.loads(text)
    for resource in document["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in IDS:
                    if name in span:
                        span[name] = json_format.base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(document, ExportTraceServiceRequest(), ignore_unknown_fields=False)


class Traces:
    def __init__(self):
        self.spans = {}

    def add(self, request):
        for resource in request.resource_spans:
            service = next(a.value.string_value for a in resource.resource.attributes if a.key == "service.name")
            for scope in resource.scope_spans:
                for span in scope.spans:
                    assert len(span.trace_id) == 16 and len(span.span_id) == 8 and len(span.parent_span_id) in (0, 8)
                    assert span.start_time_unix_nano <= span.end_time_unix_nano
                    self.spans.setdefault(span.trace_id, []).append((service, span))

    def show(self):
        for trace, spans in self.spans.items():
            print(trace.hex())
            known = {span.span_id for _, span in spans}
            for service, span in spans:
                if span.parent_span_id not in known:
                    self.branch(spans, service, span, 1)
        self.spans = {}
        sys.stdout.flush()

    def branch(self, spans, service, span, depth):
        attributes = {a.key: a.value.string_value or a.value.int_value for a in span.attributes}
        took = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e6
        where = attributes.get("url.full") or attributes.get("url.path")
        status = attributes.get("error.type") or attributes.get("http.response.status_code")
        kind = Span.SpanKind.Name(span.kind)[len("SPAN_KIND_"):].lower()
        print(f"{'  ' * depth}{service} {kind} {span.name} {where} {status} {took:.1f} ms")
        for other, child in sorted(spans, key=lambda pair: pair[1].start_time_unix_nano):
            if child.parent_span_id == span.span_id:
                self.branch(spans, other, child, depth + 1)


TRACES = Traces()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        text = self.rfile.read(int(self.headers["content-length"]))
        try:
            assert self.path == "/v1/traces" and self.headers["content-type"] == "application/json"
            TRACES.add(parse(text))
            status, body = 200, b"{}"
        except Exception as error:
            print(f"refused: {error}", flush=True)
            status, body = 400, b""
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        TRACES.show()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
