"""A client of the shop's stock on Debian's grpcio: calls a target again and again, and prints who answered, or what went wrong."""
import json
import sys
import time

import grpc

target = sys.argv[1]
# Product{id: "viola"} of stock.proto.
REQUEST = b"\x0a\x05viola"


def as_it_is(message):
    return message


def say(**fields):
    print(json.dumps(fields), flush=True)


credentials = grpc.xds_channel_credentials()
with grpc.secure_channel(target, credentials) as channel:
    count = channel.unary_unary("/shop.Stock/Count", request_serializer=as_it_is, response_deserializer=as_it_is)
    while True:
        try:
            answer = count(REQUEST, timeout=15)
            # Answer{left, served_by}: the text stands last.
            say(by=answer[4:].decode())
        except grpc.RpcError as error:
            say(error=error.code().name, details=error.details())
        time.sleep(0.02)
