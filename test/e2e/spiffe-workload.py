"""A workload on PyPI's spiffe: says who it is at each rotation, and calls a sidecar's mesh port by that identity."""
import os
import socket
import ssl
import sys
import tempfile
import time

from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from spiffe import TrustDomain, WorkloadApiClient, X509Source

host, port, server_name = sys.argv[1:4]


def pem(certificates):
    return b"".join(each.public_bytes(Encoding.PEM) for each in certificates)


def call(svid, authorities):
    with tempfile.TemporaryDirectory() as folder:
        chain, roots = os.path.join(folder, "chain.pem"), os.path.join(folder, "roots.pem")
        key = svid.private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        with open(chain, "wb") as file:
            file.write(pem(svid.cert_chain) + key)
        with open(roots, "wb") as file:
            file.write(pem(authorities))
        context = ssl.create_default_context(cafile=roots)
        context.check_hostname = False
        context.load_cert_chain(chain)
    with socket.create_connection((host, int(port)), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname=server_name) as secure:
            names = [value for kind, value in secure.getpeercert()["subjectAltName"] if kind == "URI"]
            secure.sendall(b"GET /healthz HTTP/1.1\r\nHost: catalog\r\nConnection: close\r\n\r\n")
            return names, secure.recv(64).split(b"\r\n")[0].decode()


bundles = WorkloadApiClient().fetch_x509_bundles()
trusted = bundles.get_bundle_for_trust_domain(TrustDomain("tutti.local"))
print("bundle of", len(trusted.x509_authorities), flush=True)
source = X509Source(timeout_in_seconds=20)
last = None
while True:
    svid = source.get_x509_context().default_svid
    serial = svid.leaf.serial_number
    if serial != last:
        last = serial
        authorities = source.get_bundle_for_trust_domain(svid.spiffe_id.trust_domain).x509_authorities
        names, answer = call(svid, authorities)
        print(f"{svid.spiffe_id} {serial:X} roots={len(authorities)} peer={','.join(names)} answer={answer}", flush=True)
    time.sleep(0.05)
