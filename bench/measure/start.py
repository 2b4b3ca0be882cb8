"""From the start of the process to the first 200 of `/readyz`: the bundle is hashed, loaded and warmed up by then."""

from measure.servers import ours


def run(times: int) -> list[float]:
    """Seconds of each start. The files are in the page cache, as they are when a Pod was synced just before."""
    seconds = []
    for _ in range(times):
        running = ours().start()
        seconds.append(running.seconds_to_ready)
        running.process.stop()
    return seconds
