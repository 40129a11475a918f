"""What COMPARE.md says of LocalStack's service manager: a start that failed once, and a stop of ten."""

import logging
import time

from localstack.services.plugins import (
    Service,
    ServiceContainer,
    ServiceManager,
    ServicePluginManager,
    ServiceState,
)

logging.disable(logging.CRITICAL)

starts = []


def start(asynchronous):
    starts.append(asynchronous)
    if len(starts) == 1:
        raise RuntimeError("the port is taken")


# As `add_service` does it, without its look at which services are enabled.
manager = ServiceManager()
manager._services["s3"] = ServiceContainer(Service("s3", start=start), ServiceState.AVAILABLE)
for attempt in range(3):
    try:
        manager.require("s3")
        print("require: running")
    except RuntimeError as error:
        print("require:", error)
print("its start was called", len(starts), "time(s)")

manager = ServicePluginManager()
services = [
    ServiceContainer(Service(str(number), stop=lambda: time.sleep(0.3)), ServiceState.RUNNING)
    for number in range(10)
]
began = time.monotonic()
manager._stop_services(services)
print(f"a stop of ten that take 0.3 s each: {time.monotonic() - began:.2f} s")
