"""One end of the bus for tests, in a process of its own, driven by lines on standard input.

``serve NAME`` answers as nova-compute on host NAME; ``call HOST TEXT`` and ``cast HOST TEXT`` speak to one.
Each line is answered by one line of JSON, and so is each doorbell that is heard.
"""

import json
import logging
import sys
import threading
import time

from nova_lite import concurrency
from nova_lite.conf import files


def say(**what):
    """Print one line, in one piece: several threads do."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main(arguments):
    """Read lines until there are no more."""
    concurrency.choose(concurrency.Mode(files.peek("concurrency", arguments, sys.argv[0], {}) or "eventlet"))
    from nova_lite.conf import load
    from nova_lite.core.context import RequestContext
    from nova_lite.core.errors import NotFound, NovaError
    from nova_lite.rpc.compute import ComputeContract, ComputeProxy
    from nova_lite.rpc.transport import connect

    class Compute(ComputeContract):
        def __init__(self, name):
            self.name = name

        def perform(self, context, action_ids):
            say(heard=action_ids, by=self.name)

        def console_output(self, context, instance_uuid, length):
            if instance_uuid == "missing":
                raise NotFound("Instance missing could not be found.")
            if instance_uuid == "slow":
                time.sleep(1)
            return f"{self.name}: {instance_uuid} {length} {context.request_id}"

        def console(self, context, instance_uuid, kind):
            raise NotFound(f"Instance {instance_uuid} could not be found.")

        def diagnostics(self, context, instance_uuid):
            raise NotFound(f"Instance {instance_uuid} could not be found.")

        def traveller(self, context, instance_uuid):
            raise NotFound(f"Instance {instance_uuid} could not be found.")

        def host_uptime(self, context):
            return ""

        def refresh_instance_security(self, context, instance_uuid):
            pass

        def refresh_security_groups(self, context, group_ids):
            pass

        def cache_images(self, context, image_ids):
            pass

    logging.basicConfig(level=logging.CRITICAL)
    conf = load(arguments, "rpc-program")
    bus = connect(conf)
    proxy = ComputeProxy(bus)
    context = RequestContext(request_id="req-7")
    servers = []

    def carry_out(line):
        verb, _, rest = line.strip().partition(" ")
        host, _, text = rest.partition(" ")
        began = time.monotonic()
        try:
            if verb == "serve":
                servers.append(bus.serve(ComputeContract, Compute(host), host))
                say(serving=host)
            elif verb == "call":
                answer = proxy.on("" if host == "any" else host).console_output(context, text, 5)
                say(answer=answer, seconds=time.monotonic() - began)
            elif verb == "cast":
                proxy.on("" if host == "any" else host).perform(context, text.split(","))
                say(rang=text, seconds=time.monotonic() - began)
        except NovaError as error:
            say(error=type(error).__name__, sentence=str(error), seconds=time.monotonic() - began)

    say(ready=concurrency.current())
    while line := concurrency.blocking(sys.stdin.readline):
        threading.Thread(target=carry_out, args=(line,), daemon=True).start()
    for server in servers:
        server.stop(5)
    bus.close()
    say(closed=True)


if __name__ == "__main__":
    main(sys.argv[1:])
