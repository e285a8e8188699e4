"""`serve` in a process of its own: the link that the first start shows lets the first person in, once."""

import os
import re
import subprocess
import sys
from pathlib import Path

import httpx2
from rig import sqlite_url

PASSWORD = "correct horse battery"


def served(folder: Path) -> tuple[subprocess.Popen[str], str, str]:
    """A running `serve`: the process, where it is, and the link that it shows."""
    command = str(Path(sys.executable).with_name("ml-connector"))
    words = [command, "--store", sqlite_url(folder), "serve", "--port", "0"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=os.environ | {"COLUMNS": "200"})
    assert process.stderr
    url = link = ""
    for line in process.stderr:
        url = url or "".join(re.findall(r"Serving at (http\S+)\. ", line))
        link = "".join(re.findall(r"http\S+/set-up/\S+", line))
        if link:
            break
    return process, url, link


def test_the_link_of_the_first_start(tmp_path: Path) -> None:
    process, url, link = served(tmp_path)
    with httpx2.Client(trust_env=False, timeout=60) as client:
        try:
            assert link.startswith(f"{url}/set-up/")
            form = {"name": "kari", "password": PASSWORD, "again": PASSWORD}
            assert client.post(link, data=form).status_code == 303
            assert client.get(f"{url}/access").status_code == 200
        finally:
            process.terminate()
            _, said = process.communicate(timeout=60)
    assert PASSWORD not in said
    assert "Traceback" not in said
