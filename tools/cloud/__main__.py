"""``python -m tools.cloud run | run-distributed | stop | status``."""

import shlex
import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tools.cloud import instance
from tools.cloud.settings import RunError, Settings, check_machine, from_environment, program, write_flags
from tools.services import ServiceError

if TYPE_CHECKING:
    from tools.cloud.servers import Machinery

_BEGAN = time.monotonic()


def say(text: str) -> None:
    """Tell how far it is, with the seconds since the start."""
    print(f"[{time.monotonic() - _BEGAN:5.1f} s] {text}", flush=True)


def run(*, distributed: bool) -> None:
    """Bring the cloud up with an instance in it; raises RunError, with nothing left half started."""
    from tools.cloud.servers import Machinery

    settings = from_environment(distributed=distributed)
    machinery = Machinery(settings)
    if machinery.runs():
        say("The cloud runs already.")
        show(settings)
        return
    if settings.driver == "fake":
        say(
            "Simulated: the hypervisor, its guests, bridges, DHCP and packet filter. Everything else is real."
        )
    check_machine(settings)
    try:
        _start(settings, machinery)
    except BaseException:
        _end(settings, machinery)
        raise
    show(settings)


def _start(settings: Settings, machinery: "Machinery") -> None:
    if settings.distributed and not settings.sql_connection:
        say("Starting MariaDB.")
    sql = machinery.start_database()
    if settings.distributed and not settings.transport_url:
        say("Starting RabbitMQ.")
    bus = machinery.start_bus()
    if settings.driver == "libvirt":
        say("Starting libvirt.")
    write_flags(settings, sql=sql, bus=bus, libvirt_uri=machinery.start_hypervisor())
    say("Preparing the database: schema, flavors, projects, network, addresses.")
    from tools.cloud.accounts import prepare

    prepare(settings)
    say(f"Starting {', '.join(settings.programs)}.")
    machinery.start_daemons()
    say("Building the guest image." if settings.driver == "libvirt" else "Making the image's stand-in.")
    image = instance.make_image(settings)
    say(f"Booting the instance {instance.NAME} with the openstack client.")
    server = instance.boot(settings, image)
    say("It is ACTIVE; waiting until it answers.")
    instance.wait_until_up(settings, server)


def show(settings: Settings) -> None:
    """Tell what there is and how to use it."""
    client = instance.Client(settings)
    server = client.run("server", "show", instance.NAME)
    console = client.text("console", "log", "show", "--lines", "12", instance.NAME)
    say(f"The instance {instance.NAME} is {server['status']}. The end of its console:")
    print("".join(f"    {line}\n" for line in console.strip().splitlines()[-12:]), end="")
    print(f"Address:  {instance.address_of(server)}")
    if settings.driver == "libvirt":
        print(f"Log in:   {shlex.join(instance.ssh_command(settings, server))}")
        openrc = settings.folder / "openrc"
        print(f"Screen:   . {openrc}; {program('openstack')} console url show --novnc {instance.NAME}")
    print(f"Client:   . {settings.folder / 'openrc'}; {program('openstack')} server list")
    print(f"EC2:      . {settings.folder / 'ec2rc'}; aws ec2 describe-instances")
    print("Stop:     make stop")


def status() -> None:
    """Tell which daemons run; raises RunError when none does."""
    from tools.cloud.servers import Machinery

    settings = _known()
    machinery = Machinery(settings)
    for daemon in machinery.daemons:
        print(f"{daemon.name:16} {'runs, process ' + str(daemon.pid) if daemon.pid else 'is stopped'}")
    if not machinery.runs():
        raise RunError("The cloud does not run; make run starts it.")
    show(settings)


def stop() -> None:
    """Stop the cloud and remove what it made of this machine: guests, bridges, rules. The data stays."""
    from tools.cloud.servers import Machinery

    settings = _known()
    _end(settings, Machinery(settings))
    say("The cloud is stopped; its data is kept.")


def _end(settings: Settings, machinery: "Machinery") -> None:
    """Stop the daemons, clean the machine, and stop what the daemons needed."""
    for daemon in reversed(machinery.daemons):
        daemon.stop()
    if machinery.hypervisor_runs():
        from tools.cloud.cleaning import clean_host

        clean_host(settings.flag_file)
    machinery.stop()


def _known() -> Settings:
    """Return the settings of the cloud that runs, or ran last."""
    for distributed in (True, False):
        settings = from_environment(distributed=distributed)
        if all((settings.folder / "run" / name).is_dir() for name in settings.programs):
            flags = settings.flag_file.read_text() if settings.flag_file.exists() else ""
            if ("rabbit://" in flags or "mysql" in flags) == distributed:
                return settings
    return from_environment(distributed=False)


def main() -> int:
    """Run the command and return the exit status."""
    command = sys.argv[1] if len(sys.argv) == 2 else ""
    commands = {
        "run": lambda: run(distributed=False),
        "run-distributed": lambda: run(distributed=True),
        "stop": stop,
        "status": status,
    }
    if command not in commands:
        print(f"usage: python -m tools.cloud {' | '.join(commands)}", file=sys.stderr)
        return 2
    try:
        commands[command]()
    except (RunError, ServiceError) as error:
        print(f"make {command}: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"make {command}: {error.cmd[0]} failed.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
