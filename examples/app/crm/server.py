"""The target of `crm-*`: an HTTP server with nothing but Python's standard library.

    CRM_SECRET=… python3 crm/server.py [port]

Every request is signed as the Standard Webhooks specification says (https://www.standardwebhooks.com).
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["CRM_SECRET"].removeprefix("whsec_")
TOLERANCE_SECONDS = 5 * 60


def is_signed(headers, body):
    """Whether the request comes from our stack, and is no replay of an old one."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    signed = f"{message_id}.{timestamp}.".encode() + body
    digest = hmac.new(base64.b64decode(SECRET), signed, hashlib.sha256).digest()
    expected = "v1," + base64.b64encode(digest).decode()
    # While a secret is rotated, a request carries one signature for each.
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected, signature) for signature in given)


def answer(message):
    """The ack's content, or an error that the sender of the frame gets."""
    content = message["content"]
    if not isinstance(content, dict) or not isinstance(content.get("text"), str):
        return {"error": {"code": "bad_content", "message": "content.text: is required"}}
    return {"content": {"noted": content["text"], "for": message["from"]["userId"]}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if not is_signed(self.headers, body):
            return self.reply(401, {"message": "The signature is not valid."})
        return self.reply(200, answer(json.loads(body)))

    def reply(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8090), Handler)
    print(f"Listening on http://127.0.0.1:{server.server_port}/hook", flush=True)
    server.serve_forever()
