"""Both modes of concurrency keep the same promises.

The choice is for a whole process, so each promise runs in a process of its own; the functions below are those
processes' programs.
"""

import inspect
import subprocess
import sys
import textwrap
import threading

import pytest

from nova_lite import concurrency

MODES = [mode.value for mode in concurrency.Mode]


def in_process_of(mode, program):
    """Run a function's body in a process that chose ``mode``; what it asserts is asserted."""
    body = textwrap.dedent(inspect.getsource(program).split(":\n", 1)[1])
    source = f"from nova_lite import concurrency\nconcurrency.choose(concurrency.Mode('{mode}'))\n{body}"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", source],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture(params=MODES)
def mode(request):
    return request.param


def test_the_mode_that_was_chosen_is_the_current_one(mode):
    def program():
        assert concurrency.current().value in ("eventlet", "threading")
        from oslo_service import backend

        backend.get_backend()
        assert backend.get_backend_type().value == concurrency.current().value

    in_process_of(mode, program)


def test_the_choice_is_made_once(mode):
    def program():
        from nova_lite.core.errors import ConfigurationError

        concurrency.choose(concurrency.current())
        [other] = set(concurrency.Mode) - {concurrency.current()}
        try:
            concurrency.choose(other)
        except ConfigurationError as error:
            assert "cannot change the concurrency" in str(error)
        else:
            raise AssertionError("the mode was changed")

    in_process_of(mode, program)


def test_a_process_that_did_not_choose_has_native_threads():
    assert concurrency.current() is concurrency.Mode.THREADING


def test_a_blocking_call_lets_the_others_work(mode):
    def program():
        import ctypes
        import time

        sleep = ctypes.CDLL(None).usleep
        began = time.monotonic()
        sleepers = [concurrency.spawn(concurrency.blocking, sleep, 400_000) for _ in range(10)]
        for sleeper in sleepers:
            sleeper.join()
        assert time.monotonic() - began < 3.5

    in_process_of(mode, program)


def test_a_blocking_call_raises_what_the_function_raises(mode):
    def program():
        try:
            concurrency.blocking(int, "x")
        except ValueError:
            pass
        else:
            raise AssertionError("nothing was raised")

    in_process_of(mode, program)


def test_a_pool_runs_no_more_than_its_size_at_once_and_all_in_the_end(mode):
    def program():
        import threading

        running, seen, guard = set(), [], threading.Lock()
        full, go_on = threading.Event(), threading.Event()

        def work(number):
            with guard:
                running.add(number)
                seen.append(len(running))
                if len(running) == 3:
                    full.set()
            assert go_on.wait(10)
            with guard:
                running.discard(number)
            return number * 2

        pool = concurrency.Pool(3)
        futures = [pool.submit(work, number) for number in range(20)]
        assert full.wait(10)
        go_on.set()
        assert [future.result(10) for future in futures] == [number * 2 for number in range(20)]
        assert max(seen) == 3
        assert pool.shutdown(5)

    in_process_of(mode, program)


def a_mailbox():
    box = concurrency.Mailbox()
    found = []
    reader = concurrency.spawn(lambda: [found.append(box.get()) for _ in range(2000)])
    concurrency.native_thread(lambda: [box.put(number) for number in range(2000)])
    reader.join(30)
    assert found == list(range(2000))


def test_a_mailbox_brings_all_that_a_native_thread_leaves_in_order(mode):
    in_process_of(mode, a_mailbox)


def test_the_log_can_be_written_from_green_and_native_threads_at_once(mode):
    def program():
        import logging

        from nova_lite.cmd import logs
        from nova_lite.conf import load

        logs.setup(load(["--log_file=/dev/null"], "nova-test"))

        def lines():
            for number in range(200):
                logging.getLogger("nova_lite.test").info("line %d", number)

        writers = [concurrency.spawn(concurrency.blocking, lines) for _ in range(10)]
        writers += [concurrency.spawn(lines) for _ in range(10)]
        for writer in writers:
            writer.join(20)
            assert not writer.is_alive()

    in_process_of(mode, program)


def test_postgresql_does_not_stop_the_others(mode):
    def program():
        from psycopg2 import extensions

        green = concurrency.current() is concurrency.Mode.EVENTLET
        assert (extensions.get_wait_callback() is not None) == green

    in_process_of(mode, program)


def test_work_under_one_name_excludes_itself_and_other_names_do_not_wait():
    entered = threading.Event()
    release = threading.Event()
    second = threading.Event()

    def first():
        with concurrency.named_lock("a"):
            entered.set()
            release.wait(10)

    def again():
        with concurrency.named_lock("a"):
            second.set()

    threads = [threading.Thread(target=first), threading.Thread(target=again)]
    threads[0].start()
    assert entered.wait(10)
    threads[1].start()
    with concurrency.named_lock("b"):
        assert not second.is_set()
    release.set()
    assert second.wait(10)
    for thread in threads:
        thread.join()


def test_a_pool_hands_errors_to_who_submitted():
    pool = concurrency.Pool(1)

    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 / 0).result(5)

    pool.shutdown(5)


def test_a_pool_that_is_shut_down_lets_what_runs_end_and_cancels_what_waits():
    started, release = threading.Event(), threading.Event()
    pool = concurrency.Pool(1)

    def work():
        started.set()
        return release.wait(10)

    running = pool.submit(work)
    waiting = pool.submit(lambda: None)
    assert started.wait(10)

    assert pool.shutdown(0) is False
    release.set()

    assert running.result(10) is True
    assert waiting.cancelled()
    with pytest.raises(RuntimeError, match="shut down"):
        pool.submit(lambda: None)


def test_a_native_lock_is_handed_on_between_blocking_calls(mode):
    def program():
        import time

        lock, done = concurrency.native_lock(), []
        pause = time.sleep
        if concurrency.current() is concurrency.Mode.EVENTLET:
            from eventlet import patcher

            pause = patcher.original("time").sleep

        def hold(number):
            with lock:
                pause(0.02)
                done.append(number)

        pool = concurrency.Pool(5)
        waits = [pool.submit(concurrency.blocking, hold, number) for number in range(5)]
        for wait in waits:
            wait.result(10)
        assert sorted(done) == [0, 1, 2, 3, 4]

    in_process_of(mode, program)
