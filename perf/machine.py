"""The machine, and the versions of the programs: figures depend on both."""

import datetime
import os
import pathlib
import platform
import re
import subprocess

from common import PROJECT


def first_line(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=PROJECT)
    return done.stdout.partition("\n")[0].strip()


def processor():
    found = re.search(r"model name\s*: (.*)", pathlib.Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def machine():
    """Names and values, as texts."""
    return {
        "date": datetime.date.today().isoformat(),
        "processor": f"{os.cpu_count()} × {processor()}",
        "kernel": f"{platform.system()} {platform.release()}",
        "load before": "{:.1f}, {:.1f}, {:.1f} in the last 1, 5 and 15 min".format(*os.getloadavg()),
        "smooth-origin": first_line("git", "describe", "--always", "--dirty"),
        "rustc": first_line("rustc", "--version").split()[1],
        "nginx": first_line("nginx", "-v").partition("/")[2],
        "wrk": first_line("wrk", "-v").split()[1],
    }
